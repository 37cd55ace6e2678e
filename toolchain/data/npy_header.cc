#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "import/printable.h"
#include "zeropoint/toolchain/npy.h"

namespace zeropoint::toolchain {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxRank = 32;  // NumPy's own limit

/// Reads the dictionary, which is written as Python would print it.
class DictionaryParser {
 public:
  explicit DictionaryParser(std::string_view text) : rest_(text) {}

  Result<NpyHeader> parse() {
    ZP_RETURN_IF_ERROR(expect('{'));
    while (!take('}')) {
      ZP_ASSIGN_OR_RETURN(std::string_view key, string());
      ZP_RETURN_IF_ERROR(expect(':'));
      ZP_RETURN_IF_ERROR(entry(key));
      if (!take(',')) {
        ZP_RETURN_IF_ERROR(expect('}'));
        break;
      }
    }
    skip_blanks();
    if (!rest_.empty()) {
      return wrong("text follows the dictionary");
    }
    if (!has_descr_ || !has_order_ || !has_shape_) {
      return wrong("'descr', 'fortran_order' and 'shape' are needed, each once");
    }
    return header_;
  }

 private:
  static Status wrong(const std::string& what) {
    return Status::corrupt("the .npy header is damaged: " + what);
  }

  Status entry(std::string_view key) {
    if (key == "descr" && !has_descr_) {
      has_descr_ = true;
      return descr();
    }
    if (key == "fortran_order" && !has_order_) {
      has_order_ = true;
      return fortran_order();
    }
    if (key == "shape" && !has_shape_) {
      has_shape_ = true;
      return shape();
    }
    return wrong(fmt::format("the key '{}' is unknown or there twice", printable(key.substr(0, 40))));
  }

  Status descr() {
    skip_blanks();
    if (rest_.starts_with('[')) {
      return Status::unsupported("the elements are records; save each field as an array of its own");
    }
    ZP_ASSIGN_OR_RETURN(std::string_view text, string());
    struct Type {
      std::string_view code;
      ElementType type;
    };
    constexpr Type kTypes[] = {
        {"f4", ElementType::kFloat32}, {"f8", ElementType::kFloat64}, {"f2", ElementType::kFloat16},
        {"i1", ElementType::kInt8},    {"i2", ElementType::kInt16},   {"i4", ElementType::kInt32},
        {"i8", ElementType::kInt64},   {"u1", ElementType::kUint8},   {"u2", ElementType::kUint16},
        {"u4", ElementType::kUint32},  {"u8", ElementType::kUint64},  {"b1", ElementType::kBool}};
    const auto* found = text.empty() ? std::end(kTypes)
                                     : std::find_if(std::begin(kTypes), std::end(kTypes),
                                                    [&](const Type& t) { return t.code == text.substr(1); });
    bool order_is_said = !text.empty() && (text[0] == '<' || text[0] == '>');
    if (found == std::end(kTypes) || (!order_is_said && (text[0] != '|' || size_of(found->type) > 1))) {
      return Status::unsupported(
          fmt::format("the elements are of NumPy type '{}'; only floating-point numbers, integers "
                      "and booleans of up to 8 bytes are read",
                      printable(text.substr(0, 40))));
    }
    header_.type = found->type;
    header_.big_endian = text[0] == '>' && size_of(found->type) > 1;
    return {};
  }

  Status fortran_order() {
    skip_blanks();
    for (bool value : {true, false}) {
      std::string_view word = value ? "True" : "False";
      if (rest_.starts_with(word)) {
        rest_.remove_prefix(word.size());
        header_.fortran_order = value;
        return {};
      }
    }
    return wrong("'fortran_order' is neither True nor False");
  }

  Status shape() {
    ZP_RETURN_IF_ERROR(expect('('));
    while (!take(')')) {
      skip_blanks();
      std::int64_t extent = 0;
      const char* end = rest_.data() + rest_.size();
      auto [next, error] = std::from_chars(rest_.data(), end, extent);
      if (error != std::errc() || extent < 0) {
        return wrong("'shape' is not a tuple of whole numbers");
      }
      rest_.remove_prefix(static_cast<std::size_t>(next - rest_.data()));
      (void)take('L');  // Python 2 wrote large ones so
      header_.shape.push_back(extent);
      if (header_.shape.size() > kMaxRank) {
        return Status::unsupported(fmt::format("the array has more than {} axes", kMaxRank));
      }
      if (!take(',')) {
        // (3) is no tuple, (3,) is one.
        return take(')') && header_.shape.size() > 1 ? Status()
                                                     : wrong("'shape' is not a tuple of whole numbers");
      }
    }
    return {};
  }

  Result<std::string_view> string() {
    skip_blanks();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) {
      return wrong("a text between quotes is missing");
    }
    std::size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) {
      return wrong("a quote is not closed");
    }
    std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }

  void skip_blanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n' || rest_[0] == '\t' || rest_[0] == '\r')) {
      rest_.remove_prefix(1);
    }
  }
  bool take(char letter) {
    skip_blanks();
    bool there = rest_.starts_with(letter);
    rest_.remove_prefix(there ? 1 : 0);
    return there;
  }
  Status expect(char letter) {
    return take(letter) ? Status() : wrong(fmt::format("'{}' is missing", letter));
  }

  std::string_view rest_;
  NpyHeader header_;
  bool has_descr_ = false;
  bool has_order_ = false;
  bool has_shape_ = false;
};

Status check_size(const NpyHeader& header, std::uint64_t file_size) {
  // Extents beside a 0 must have a product too: rows are sized by it.
  Shape without_zeros = header.shape;
  std::replace(without_zeros.begin(), without_zeros.end(), std::int64_t{0}, std::int64_t{1});
  Result<std::int64_t> count = element_count(header.shape);
  Result<std::int64_t> largest = element_count(without_zeros);
  std::uint64_t there = file_size - header.offset;
  std::uint64_t width = size_of(header.type);
  bool fits = count.ok() && largest.ok() && *largest <= INT64_MAX / 16 &&
              static_cast<std::uint64_t>(*count) <= there / width &&
              static_cast<std::uint64_t>(*count) * width == there;
  return fits ? Status()
              : Status::corrupt(fmt::format("the .npy header says {} {}, and {} bytes follow it",
                                            name_of(header.type), to_string(header.shape), there));
}

}  // namespace

Result<NpyHeader> parse_npy_header(std::span<const std::byte> beginning, std::uint64_t file_size) {
  std::string_view text(reinterpret_cast<const char*>(beginning.data()), beginning.size());
  if (!text.starts_with(kMagic)) {
    return Status::corrupt("not a .npy file: it does not begin with \\x93NUMPY");
  }
  if (text.size() < kMagic.size() + 4) {
    return Status::corrupt("the .npy header is cut off");
  }
  auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(beginning[i]); };
  std::size_t version = byte(6);
  if (version < 1 || version > 3 || byte(7) != 0) {
    return Status::unsupported(
        fmt::format("the .npy format version is {}.{}; 1.0 to 3.0 are read", version, byte(7)));
  }
  std::size_t start = version == 1 ? 10 : 12;
  if (text.size() < start) {
    return Status::corrupt("the .npy header is cut off");
  }
  std::size_t length = byte(8) | byte(9) << 8;
  length |= version == 1 ? 0 : byte(10) << 16 | byte(11) << 24;
  if (length > kMaxNpyHeader - start) {
    return Status::corrupt(
        fmt::format("the .npy header claims {} bytes; at most {} are read", length, kMaxNpyHeader - start));
  }
  if (length > text.size() - start) {
    return Status::corrupt("the .npy header is cut off");
  }
  ZP_ASSIGN_OR_RETURN(NpyHeader header, DictionaryParser(text.substr(start, length)).parse());
  header.offset = start + length;
  header.fortran_order = header.fortran_order && header.shape.size() > 1;
  ZP_RETURN_IF_ERROR(check_size(header, file_size));
  return header;
}

}  // namespace zeropoint::toolchain
