#pragma once

// What nearly every file with LibTorch needs: tensors, operators, threads. Not
// <torch/torch.h>, nor autograd, devices or custom classes: what a header
// leaves to instantiate, every file that gets this one pays again, PCH or not
// (2 s with GCC for autograd's). Who needs those names them.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/ivalue.h>
#include <torch/types.h>
#include <torch/version.h>
