#pragma once

// The one place that includes all of LibTorch: 7 s a file without it.
#include <ATen/core/ivalue.h>
#include <torch/torch.h>
