#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "data/boundary.h"
#include "zeropoint/toolchain/array_dataset.h"
#include "zeropoint/toolchain/convert_elements.h"

namespace zeropoint::toolchain {
namespace {

class TokenDataset final : public Dataset {
 public:
  TokenDataset(std::shared_ptr<const ArraySource> tokens, const TokenOptions& options)
      : tokens_(std::move(tokens)),
        options_(options),
        text_length_(tokens_->shape().back()),
        texts_(tokens_->shape().size() == 2 ? tokens_->rows() : 1),
        shape_{options.window} {
    // The last target of a text is its last token.
    std::int64_t targets = text_length_ - 1;
    windows_ = 1 + (targets - options_.window + options_.stride - 1) / options_.stride;
  }

  [[nodiscard]] std::int64_t size() const override { return texts_ * windows_; }
  [[nodiscard]] const Shape& sample_shape() const override { return shape_; }
  [[nodiscard]] ElementType element_type() const override { return options_.type; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return class_names_; }
  [[nodiscard]] std::int64_t label(std::int64_t index) const override {
    std::int64_t only = -1;
    return options_.window == 1 && read_labels(index, {&only, 1}).ok() ? only : -1;
  }
  [[nodiscard]] std::int64_t labels_per_sample() const override { return options_.window; }
  Status read_labels(std::int64_t index, std::span<std::int64_t> out) const override {
    return without_exceptions("tokens", [&]() -> Status {
      if (index < 0 || index >= size() || static_cast<std::int64_t>(out.size()) != options_.window) {
        return Status::invalid_argument(
            fmt::format("{}: there are no {} labels of sample {}", description(), out.size(), index));
      }
      ZP_RETURN_IF_ERROR(read_tokens(index, 1, ElementType::kInt64, std::as_writable_bytes(out)));
      std::int64_t window = index % windows_;
      std::int64_t counted = window == 0 ? 0 : start(window - 1) + options_.window - start(window);
      std::fill_n(out.begin(), counted, -1);
      return {};
    });
  }
  Status read_bytes(std::int64_t index, std::span<std::byte> out) const override {
    return without_exceptions("tokens", [&]() -> Status {
      ZP_RETURN_IF_ERROR(check_read(index, out));
      return read_tokens(index, 0, options_.type, out);
    });
  }
  [[nodiscard]] std::string description() const override {
    return fmt::format("{} tokens in windows of {}, stride {}, {}", texts_ * text_length_, options_.window,
                       options_.stride, tokens_->name());
  }

 private:
  [[nodiscard]] std::int64_t start(std::int64_t window) const {
    return std::min(window * options_.stride, text_length_ - 1 - options_.window);
  }

  /// The window of sample `index`, `shift` tokens later.
  Status read_tokens(std::int64_t index, std::int64_t shift, ElementType type,
                     std::span<std::byte> out) const {
    std::int64_t text = index / windows_;
    std::int64_t first = start(index % windows_) + shift;
    std::size_t width = size_of(tokens_->type());
    bool is_one_text = tokens_->shape().size() == 1;
    std::vector<std::byte> row(is_one_text ? static_cast<std::size_t>(options_.window) * width
                                           : tokens_->row_bytes());
    ZP_RETURN_IF_ERROR(tokens_->read(is_one_text ? first : text, row));
    std::span<const std::byte> window = is_one_text ? std::span<const std::byte>(row)
                                                    : std::span<const std::byte>(row).subspan(
                                                          static_cast<std::size_t>(first) * width,
                                                          static_cast<std::size_t>(options_.window) * width);
    return convert_elements(tokens_->type(), window, type, out).at(tokens_->name());
  }

  std::shared_ptr<const ArraySource> tokens_;
  TokenOptions options_;
  std::int64_t text_length_;
  std::int64_t texts_;
  std::int64_t windows_ = 0;  ///< per text
  Shape shape_;
  std::vector<std::string> class_names_;
};

}  // namespace

Result<std::unique_ptr<Dataset>> token_dataset(std::shared_ptr<const ArraySource> tokens,
                                               const TokenOptions& options) {
  return without_exceptions("tokens", [&]() -> Result<std::unique_ptr<Dataset>> {
    TokenOptions how = options;
    how.stride = how.stride == 0 ? how.window : how.stride;
    if (!is_integer(tokens->type()) || tokens->shape().size() > 2) {
      return Status::invalid_argument(
          fmt::format("{}: tokens are integers [tokens] or [texts, tokens], not {} {}", tokens->name(),
                      name_of(tokens->type()), to_string(tokens->shape())));
    }
    ZP_RETURN_IF_ERROR(check_convertible(tokens->type(), how.type).at(tokens->name()));
    if (how.window < 1 || how.stride < 1 || how.stride > how.window) {
      return Status::invalid_argument(fmt::format(
          "windows of {} tokens with stride {}: the window must be 1 or more, and the stride 1 to the window",
          how.window, how.stride));
    }
    if (tokens->shape().back() <= how.window) {
      return Status::invalid_argument(
          fmt::format("{}: a text has {} tokens; windows of {} need at least {}: one follows each window",
                      tokens->name(), tokens->shape().back(), how.window, how.window + 1));
    }
    return std::unique_ptr<Dataset>(new TokenDataset(std::move(tokens), how));
  });
}

}  // namespace zeropoint::toolchain
