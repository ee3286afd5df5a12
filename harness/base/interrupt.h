#pragma once

namespace tailmark {

/// Makes SIGINT and SIGTERM set a flag instead of ending the process. Call once
/// in main(). A second SIGINT ends the process at once.
void CatchInterrupts();

/// The signal that arrived, or 0. Long loops look at it between steps.
int InterruptSignal();

/// Throws Interrupted when a signal has arrived.
void ThrowIfInterrupted();

}  // namespace tailmark
