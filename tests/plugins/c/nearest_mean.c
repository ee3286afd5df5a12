/* The smallest real plugin in C99: scores an image by how much nearer its
 * feature lies to the mean of a class's training images than to the mean of
 * the others. Links nothing but the C library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/plugin/tailmark_plugin_c.h"

const char tailmark_plugin_stamp[] = TAILMARK_PLUGIN_STAMP;

static const char kInfo[] =
    "{\"name\": \"nearest_mean_c\", \"version\": 1,"
    " \"summary\": \"Nearest class mean on frozen features, in C\","
    " \"family\": \"probe\", \"input\": \"features\", \"scale\": \"logit\","
    " \"abilities\": {\"stochastic\": false, \"partial_labels\": true},"
    " \"options\": [{\"name\": \"batch_size\", \"type\": \"int\","
    "   \"default\": 64, \"lo\": 1, \"hi\": 1048576,"
    "   \"help\": \"Images a step\"}]}";

typedef struct {
  const tailmark_host* host;
  int64_t classes, width;
  float *direction, *offset; /* [C, D], [C] */
} Fitted;

static int32_t Fail(tailmark_status* status, int32_t code, const char* text) {
  status->code = code;
  snprintf(status->message, sizeof status->message, "%s", text);
  return code;
}

/* The classes are the strings of "class_names": ["cat", "dog"]. */
static int64_t CountClasses(const char* problem) {
  const char* at = strstr(problem, "\"class_names\":[");
  int64_t quotes = 0;
  if (at == NULL) return 0;
  for (at += 15; *at != '\0' && *at != ']'; ++at) {
    if (*at == '\\') {
      ++at;
    } else if (*at == '"') {
      ++quotes;
    }
  }
  return quotes / 2;
}

static int32_t Create(const char* problem, const char* options,
                      const tailmark_host* host, void** out,
                      tailmark_status* status) {
  Fitted* me = calloc(1, sizeof *me);
  (void)options;
  if (me == NULL) return Fail(status, 5, "no memory");
  me->host = host;
  me->classes = CountClasses(problem);
  *out = me;
  return 0;
}

static const float* Floats(const DLManagedTensorVersioned* tensor) {
  return (const float*)((const char*)tensor->dl_tensor.data +
                        tensor->dl_tensor.byte_offset);
}

/* Sums [C, 2, D] and counts [C, 2] of images without and with each class. */
static void AddBatch(const Fitted* me, const tailmark_batch* batch,
                     double* sums, double* counts) {
  const int64_t rows = batch->inputs->dl_tensor.shape[0], d = me->width;
  const float* x = Floats(batch->inputs);
  const float* y = Floats(batch->targets);
  const uint8_t* known =
      batch->known == NULL ? NULL : (const uint8_t*)(const void*)Floats(batch->known);
  int64_t i, c, k;
  for (i = 0; i < rows; ++i) {
    for (c = 0; c < me->classes; ++c) {
      int64_t side;
      if (known != NULL && !known[i * me->classes + c]) continue;
      side = 2 * c + (y[i * me->classes + c] != 0);
      counts[side] += 1;
      for (k = 0; k < d; ++k) sums[side * d + k] += x[i * d + k];
    }
  }
}

static void Finish(Fitted* me, const double* sums, const double* counts) {
  const int64_t d = me->width;
  int64_t c, k;
  for (c = 0; c < me->classes; ++c) {
    const double no = counts[2 * c], yes = counts[2 * c + 1];
    const double all = no + yes > 0 ? no + yes : 1;
    double offset = 0;
    for (k = 0; k < d; ++k) {
      const double without = sums[2 * c * d + k], with = sums[(2 * c + 1) * d + k];
      const double mean = (without + with) / all;
      const double a = (with + mean) / (yes + 1), b = (without + mean) / (no + 1);
      me->direction[c * d + k] = (float)(2 * (a - b));
      offset += b * b - a * a;
    }
    me->offset[c] = (float)offset;
  }
}

static int32_t Allocate(Fitted* me, int64_t width, tailmark_status* status) {
  me->width = width;
  free(me->direction);
  free(me->offset);
  me->direction = calloc((size_t)(me->classes * width), sizeof(float));
  me->offset = calloc((size_t)me->classes, sizeof(float));
  if (me->direction == NULL || me->offset == NULL) {
    return Fail(status, 5, "no memory");
  }
  return 0;
}

static int32_t Fit(void* self, tailmark_status* status) {
  Fitted* me = self;
  const tailmark_host* host = me->host;
  double *sums = NULL, *counts = NULL;
  tailmark_batch batch;
  if (me->direction != NULL) return 0; /* done before the checkpoint */
  memset(&batch, 0, sizeof batch);
  while (host->next_batch(host->self, 0, -1, &batch, status)) {
    if (sums == NULL) {
      if (Allocate(me, batch.inputs->dl_tensor.shape[1], status)) return 5;
      sums = calloc((size_t)(2 * me->classes * me->width), sizeof(double));
      counts = calloc((size_t)(2 * me->classes), sizeof(double));
      if (sums == NULL || counts == NULL) return Fail(status, 5, "no memory");
    }
    AddBatch(me, &batch, sums, counts);
  }
  if (status->code == 0 && sums != NULL) {
    Finish(me, sums, counts);
    host->report(host->self, "epoch", 1, 1);
  }
  free(sums);
  free(counts);
  return status->code;
}

/* Scores with a memory of their own, freed by their deleter. */
typedef struct {
  DLManagedTensorVersioned tensor;
  int64_t shape[2];
  float values[];
} Scores;

static void Delete(DLManagedTensorVersioned* tensor) {
  free(tensor->manager_ctx);
}

static int32_t Predict(void* self, const tailmark_batch* batch,
                       DLManagedTensorVersioned** out,
                       tailmark_status* status) {
  const Fitted* me = self;
  const int64_t rows = batch->inputs->dl_tensor.shape[0];
  const float* x = Floats(batch->inputs);
  int64_t i, c, k;
  Scores* scores = calloc(
      1, sizeof *scores + (size_t)(rows * me->classes) * sizeof(float));
  if (scores == NULL) return Fail(status, 5, "no memory");
  for (i = 0; i < rows; ++i) {
    for (c = 0; c < me->classes; ++c) {
      float sum = me->offset[c];
      for (k = 0; k < me->width; ++k) {
        sum += x[i * me->width + k] * me->direction[c * me->width + k];
      }
      scores->values[i * me->classes + c] = sum;
    }
  }
  scores->shape[0] = rows;
  scores->shape[1] = me->classes;
  scores->tensor.version.major = 1;
  scores->tensor.manager_ctx = scores;
  scores->tensor.deleter = Delete;
  scores->tensor.dl_tensor.data = scores->values;
  scores->tensor.dl_tensor.device.device_type = 1;
  scores->tensor.dl_tensor.ndim = 2;
  scores->tensor.dl_tensor.dtype.code = 2;
  scores->tensor.dl_tensor.dtype.bits = 32;
  scores->tensor.dl_tensor.dtype.lanes = 1;
  scores->tensor.dl_tensor.shape = scores->shape;
  *out = &scores->tensor;
  return 0;
}

static int32_t Save(void* self, const char* path, tailmark_status* status) {
  const Fitted* me = self;
  const size_t n = (size_t)(me->classes * me->width), c = (size_t)me->classes;
  FILE* file = fopen(path, "wb");
  int well;
  if (file == NULL) return Fail(status, 3, "the state cannot be written");
  well = fwrite(&me->width, sizeof me->width, 1, file) == 1 &&
         fwrite(me->direction, sizeof(float), n, file) == n &&
         fwrite(me->offset, sizeof(float), c, file) == c;
  well = fclose(file) == 0 && well;
  return well ? 0 : Fail(status, 3, "the state cannot be written");
}

static int32_t Load(void* self, const char* path, tailmark_status* status) {
  Fitted* me = self;
  int64_t width = 0;
  FILE* file = fopen(path, "rb");
  int well;
  if (file == NULL) return Fail(status, 3, "the state cannot be read");
  well = fread(&width, sizeof width, 1, file) == 1 && width > 0 &&
         Allocate(me, width, status) == 0 &&
         fread(me->direction, sizeof(float), (size_t)(me->classes * width),
               file) == (size_t)(me->classes * width) &&
         fread(me->offset, sizeof(float), (size_t)me->classes, file) ==
             (size_t)me->classes;
  fclose(file);
  return well ? 0 : Fail(status, 3, "the state cannot be read");
}

static void Destroy(void* self) {
  Fitted* me = self;
  if (me == NULL) return;
  free(me->direction);
  free(me->offset);
  free(me);
}

static const tailmark_method_v1 kMethods[] = {
    {TAILMARK_PLUGIN_ABI, sizeof(tailmark_method_v1), kInfo, Create, Fit,
     Predict, Save, Load, Destroy}};

const tailmark_method_v1* tailmark_plugin_methods(uint32_t host_abi,
                                                  size_t* count) {
  if (host_abi != TAILMARK_PLUGIN_ABI) return NULL;
  *count = sizeof kMethods / sizeof *kMethods;
  return kMethods;
}
