#pragma once

namespace tailmark {

/// Keeps what the process frees for its next allocations, for a program that
/// lives on tensors: those of a step are as large as those of the step before,
/// and memory that goes back to the kernel is faulted in again a moment later,
/// a sixth of a training run on small pictures. To be called before there are
/// threads; does nothing where the C library has no such setting.
void KeepFreedMemory();

}  // namespace tailmark
