/* What a plugin in C includes, and nothing else of ours. No C++ type and no
 * LibTorch type crosses this boundary: tensors are DLPack (1.0 or later),
 * options and facts are JSON. Any compiler will do. C99 and C++.
 *
 *   #include "tailmark_plugin_c.h"
 *   const char tailmark_plugin_stamp[] = TAILMARK_PLUGIN_STAMP;
 *   const tailmark_method_v1* tailmark_plugin_methods(uint32_t host_abi,
 *                                                     size_t* count) { ... }
 *
 * A program that has dlpack.h includes it before this file. */
#ifndef TAILMARK_PLUGIN_C_H
#define TAILMARK_PLUGIN_C_H
/* NOLINTBEGIN(readability-identifier-naming): C's own style */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of this boundary. Members are only ever added at the end of a
 * structure, whose struct_size says how many there are. */
#define TAILMARK_PLUGIN_ABI 1u
/* Plain data, so that it can be read out of the file without running it. */
#define TAILMARK_PLUGIN_STAMP "TAILMARKSTAMP{\"kind\":\"c\",\"abi\":\"1\"}"

#ifndef DLPACK_DLPACK_H_
/* The parts of DLPack 1 that are used here, laid out as dlpack.h has them. */
typedef struct {
  uint32_t major, minor;
} DLPackVersion;
typedef struct {
  int32_t device_type; /* 1: CPU, 2: CUDA */
  int32_t device_id;
} DLDevice;
typedef struct {
  uint8_t code; /* 0: int, 1: unsigned int, 2: float, 6: bool */
  uint8_t bits;
  uint16_t lanes; /* 1 */
} DLDataType;
typedef struct {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t* shape;
  int64_t* strides; /* In elements; NULL: C order. */
  uint64_t byte_offset;
} DLTensor;
typedef struct DLManagedTensorVersioned {
  DLPackVersion version; /* {1, 0} */
  void* manager_ctx;
  void (*deleter)(struct DLManagedTensorVersioned* self); /* May be NULL. */
  uint64_t flags;
  DLTensor dl_tensor;
} DLManagedTensorVersioned;
#endif

/* How a call went. code 0: well; 1: wrong use, 2: not supported, 3: failed,
 * 4: cancelled, 5: out of memory. The message is for people. */
typedef struct tailmark_status {
  int32_t code;
  char message[1020];
} tailmark_status;

/* Images of a split; rows of all members line up. Tensors are the host's, C
 * order, on the run's device, and valid until the next call of next_batch or
 * the end of predict. */
typedef struct tailmark_batch {
  uint32_t struct_size;
  /* [B, D] features or [B, 3, H, W] pixels, float32; NULL for input "none". */
  DLManagedTensorVersioned* inputs;
  /* [B, C] float32 0 or 1; NULL for every test batch: there is no way to ask
   * for those. */
  DLManagedTensorVersioned* targets;
  /* [B, C] bool; NULL: every label is known. Elsewhere a target is noise. */
  DLManagedTensorVersioned* known;
  const int64_t* sample_ids; /* [B] positions in the split */
} tailmark_batch;

/* What a method may ask of the harness; `self` goes back as first argument.
 * Valid until destroy; next_batch, seed and report only within fit. */
typedef struct tailmark_host {
  uint32_t struct_size;
  void* self;
  /* The next batch of pass `epoch` through split 0 (train) or 1 (validation):
   * 1 and *out, or 0 at the end, or 0 with a code in status, which fit has to
   * return. Batches have as many images as option "batch_size" says, or 64.
   * The order of a pass depends on the seed and epoch alone; with epoch -1 it
   * is that of the split. */
  int32_t (*next_batch)(void* self, int32_t split, int64_t epoch,
                        tailmark_batch* out, tailmark_status* status);
  /* The seed of a named stream of chance: "init", "dropout", ... */
  uint64_t (*seed)(void* self, const char* stream);
  /* A value of a curve: "loss", at an epoch from 1. At the end of each epoch:
   * "epoch", its number, and how many there will be; the harness may then call
   * save and predict. 0: please return from fit. */
  int32_t (*report)(void* self, const char* name, int64_t step, double value);
  void (*log)(void* self, int32_t level, const char* text);
} tailmark_host;

/* A method. Functions return 0, or fill in status and return its code. */
typedef struct tailmark_method_v1 {
  uint32_t abi, struct_size;
  /* name, version, summary, options, abilities, ...: harness/plugin/README.md
   */
  const char* info_json;
  /* problem: class_names, train_counts, train_images, groups, device,
   * precision. options: complete, checked against info_json. */
  int32_t (*create)(const char* problem_json, const char* options_json,
                    const tailmark_host* host, void** out,
                    tailmark_status* status);
  /* After load it goes on from where save was called. */
  int32_t (*fit)(void* method, tailmark_status* status);
  /* *scores: [B, C] float32 or float64, higher meaning more likely there; the
   * host calls its deleter. Changes nothing. */
  int32_t (*predict)(void* method, const tailmark_batch* batch,
                     DLManagedTensorVersioned** scores,
                     tailmark_status* status);
  /* All that predict and a further epoch depend on, in one file. */
  int32_t (*save)(void* method, const char* path, tailmark_status* status);
  int32_t (*load)(void* method, const char* path, tailmark_status* status);
  void (*destroy)(void* method);
} tailmark_method_v1;

/* The two exported symbols. */
extern const char tailmark_plugin_stamp[];
/* `count` methods; NULL when the host's version is not one that it knows. */
const tailmark_method_v1* tailmark_plugin_methods(uint32_t host_abi,
                                                  size_t* count);

#ifdef __cplusplus
}
#endif
/* NOLINTEND(readability-identifier-naming) */
#endif
