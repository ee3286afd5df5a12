#pragma once

namespace tailmark {

/// What `tailmark-worker` does with a command line: one task. The exit code is
/// in its `--help`; errors go to the log. Once per process: it sets handlers of
/// signals and what libraries read from the environment.
int WorkerMain(int argc, char** argv);

}  // namespace tailmark
