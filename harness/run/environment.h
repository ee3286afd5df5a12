#pragma once

#include <c10/core/Device.h>

#include <string>

#include "harness/base/json.h"

namespace tailmark {

/// Everything about this machine and process that a reader of a result may ask
/// for, as it is now: libraries, CPU and device, switches as read back, allowed
/// environment variables, OS, locale. Format: harness/run/README.md.
/// `pipeline` is the fingerprint of decoding and resizing, "" when none was
/// taken.
Json RunEnvironment(c10::Device device, const std::string& pipeline);

/// Hash over the parts of RunEnvironment() that may move a bit of a score: two
/// runs with equal fingerprints ought to agree bit for bit.
std::string EnvironmentFingerprint(const Json& environment);

}  // namespace tailmark
