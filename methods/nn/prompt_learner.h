#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/api/encoder.h"

namespace tailmark {

/// Where the class name stands among the context tokens.
enum class ClassPosition : std::uint8_t { kEnd, kMiddle, kFront };
inline constexpr std::string_view kClassPositions = "end|middle|front";
ClassPosition ClassPositionNamed(std::string_view word);

struct PromptShape {
  std::int64_t length = 16;    ///< Context tokens, when init_text is empty.
  bool class_specific = true;  ///< A context for each class, or one for all.
  std::string init_text;       ///< Words the context starts as; "": random.
  ClassPosition position = ClassPosition::kEnd;
  /// How many tokens a class name is taken to have when others move around it:
  /// the true number (CoOp), or always 1 (LMPT's release, whose "middle" and
  /// "front" tear names of several tokens apart).
  bool true_name_lengths = true;
};

/// Soft prompts (Zhou, Yang, Loy, Liu: Learning to Prompt for Vision-Language
/// Models, IJCV 2022): texts of C classes in which n positions are free
/// vectors. L text positions, W text width, D joint width.
///
/// The text "X ... X name." is tokenised; its tokens and the context vectors
/// are put in order:
///
///   end:    start, context, name, ".", end
///   middle: start, first half of the context, name, the rest, ".", end
///   front:  start, name, context, ".", end
///
/// The context itself belongs to the caller: [C, n, W] when class-specific,
/// else [n, W].
class PromptLearner {
 public:
  /// Underscores in names become spaces. Throws ConfigError when a prompt is
  /// longer than the encoder's context, or init_text has no words.
  PromptLearner(const PromptShape& shape,
                const std::vector<std::string>& class_names, Encoder& encoder);
  /// The same of tokens [C, L] that are there already, with how many of each
  /// row belong to the name.
  PromptLearner(const PromptShape& shape, std::int64_t length,
                const at::Tensor& tokens,
                const std::vector<std::int64_t>& name_lengths,
                Encoder& encoder);

  /// Normal with deviation 0.02, or the embedded init_text, float32.
  at::Tensor InitialContext(std::uint64_t seed) const;

  /// Prompts [C, L, W] with `context` in place.
  at::Tensor Embeddings(const at::Tensor& context) const;
  /// Projected features [C, D] of such prompts, not normalised. `all_positions`
  /// computes what lies behind the last end too: the same features, slower.
  at::Tensor Features(const at::Tensor& embeddings,
                      bool all_positions = false) const;
  /// Features of several contexts at once: [K, n, W] shared contexts give
  /// [K, C, D]. What a context that depends on the image needs.
  at::Tensor FeaturesOfEach(const at::Tensor& contexts) const;

  std::int64_t length() const { return length_; }       ///< n
  const at::Tensor& tokens() const { return tokens_; }  ///< [C, L]
  /// [C, L] int64: the token whose embedding stands there, or -(i + 1) for
  /// context vector i.
  const at::Tensor& layout() const { return layout_; }

 private:
  void Arrange(const std::vector<std::int64_t>& name_lengths);
  at::Tensor Filled(const at::Tensor& context) const;

  PromptShape shape_;
  Encoder& encoder_;
  std::int64_t length_ = 0;
  at::Tensor tokens_;  // [C, L]
  at::Tensor fixed_;   // [C, L, W]
  at::Tensor layout_;  // [C, L]
  at::Tensor source_;  // [C L] rows of fixed and context, one after another
  at::Tensor init_vectors_;  // [n, W], undefined when random
};

/// `name` with underscores as spaces: what lists write for them.
std::string SpokenName(std::string name);

/// Rows divided by their length.
at::Tensor UnitRows(const at::Tensor& rows);

}  // namespace tailmark
