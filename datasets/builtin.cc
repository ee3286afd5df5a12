#include "datasets/builtin.h"

#include "datasets/embedded/embedded.h"
#include "datasets/folder/folder.h"

namespace tailmark {

void RegisterBuiltinDatasets(DatasetRegistry& registry) {
  registry.Add(embedded::EmbeddedEntry());
  registry.Add(folder::FolderEntry());
}

}  // namespace tailmark
