#include "datasets/builtin.h"

#include "datasets/coco_fewshot/coco_fewshot.h"
#include "datasets/coco_lt/coco_lt.h"
#include "datasets/embedded/embedded.h"
#include "datasets/embedded/few_shot.h"
#include "datasets/folder/folder.h"
#include "datasets/voc07_fewshot/voc07_fewshot.h"
#include "datasets/voc_lt/voc_lt.h"

namespace tailmark {

void RegisterBuiltinDatasets(DatasetRegistry& registry) {
  registry.Add(coco_fewshot::CocoFewShotEntry());
  registry.Add(coco_lt::CocoLtEntry());
  registry.Add(embedded::EmbeddedEntry());
  registry.Add(embedded::EmbeddedFewShotEntry());
  registry.Add(folder::FolderEntry());
  registry.Add(voc07_fewshot::Voc07FewShotEntry());
  registry.Add(voc_lt::VocLtEntry());
}

}  // namespace tailmark
