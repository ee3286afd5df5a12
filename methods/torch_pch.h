#pragma once

// The one place that includes all of LibTorch that is used here: tensors,
// factories, autograd, devices. Not <torch/torch.h>: what it leaves to
// instantiate costs every file 2 s.
#include <ATen/ATen.h>
#include <ATen/core/ivalue.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/cuda.h>
#include <torch/custom_class.h>
#include <torch/types.h>
#include <torch/utils.h>
#include <torch/version.h>
