#include "methods/builtin.h"

// One line a method: Register<Name>() is defined in the method's folder.
#define TM_BUILTIN_METHODS(METHOD) \
  METHOD(Cocoop)                   \
  METHOD(Coop)                     \
  METHOD(FinetuneClip)             \
  METHOD(LabelPrior)               \
  METHOD(LinearProbe)              \
  METHOD(Lmpt)                     \
  METHOD(MlVpt)                    \
  METHOD(Psd)                      \
  METHOD(ZeroShotClip)

namespace tailmark {

#define TM_DECLARE(name) void Register##name(MethodRegistry& registry);
TM_BUILTIN_METHODS(TM_DECLARE)
#undef TM_DECLARE

void RegisterBuiltinMethods(MethodRegistry& registry) {
#define TM_REGISTER(name) Register##name(registry);
  TM_BUILTIN_METHODS(TM_REGISTER)
#undef TM_REGISTER
}

}  // namespace tailmark
