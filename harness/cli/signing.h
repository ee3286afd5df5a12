#pragma once

#include <filesystem>
#include <string>

namespace tailmark {

/// Signatures of packs by OpenSSH keys (`ssh-keygen -Y`), in the namespace
/// "tailmark-pack", so that a signature of something else is none of a pack.
/// What a signature says: who packed it. Not that the scores are a model's.

/// Writes FILE.sig with a private key, or with a public one whose private key
/// is in an agent. Throws ConfigError with ssh-keygen's words.
std::filesystem::path SignFile(const std::filesystem::path& file,
                               const std::filesystem::path& key);

/// Whether FILE.sig is `identity`'s, by a file of allowed signers (a line
/// "me@lab ssh-ed25519 AAAA..." each). "" when it is, else why not. Throws
/// ConfigError when there is no ssh-keygen or no such file of signers.
std::string CheckSignature(const std::filesystem::path& file,
                           const std::filesystem::path& signers,
                           const std::string& identity);

}  // namespace tailmark
