#pragma once

#include <zlib.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Builds pickles and zip archives byte by byte, right or wrong as a test wants them.
namespace zeropoint::toolchain::testing_files {

inline std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) {
    text += static_cast<char>(value >> (8 * i) & 0xff);
  }
  return text;
}

inline std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// Pieces of a pickle.
inline const std::string protocol_2("\x80\x02");
inline std::string text(std::string_view value) {
  return "X" + little_endian(value.size(), 4) + std::string(value);
}
inline std::string integer(std::int64_t value) {
  return "\x8a\x08" + little_endian(static_cast<std::uint64_t>(value), 8);
}
inline std::string integers(std::initializer_list<std::int64_t> values) {
  std::string items;
  for (std::int64_t value : values) {
    items += integer(value);
  }
  return "(" + items + "t";
}
inline std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}

/// A tensor as torch.save writes it.
struct TensorSpec {
  std::initializer_list<std::int64_t> shape = {2, 3};
  std::initializer_list<std::int64_t> strides = {3, 1};
  std::int64_t offset = 0;
  std::int64_t storage_size = 6;
  std::string storage_type = "FloatStorage";
  std::string key = "0";
};
inline std::string tensor(const TensorSpec& spec) {
  return global("torch._utils", "_rebuild_tensor_v2") + "((" + text("storage") +
         global("torch", spec.storage_type) + text(spec.key) + text("cpu") + integer(spec.storage_size) +
         "tQ" + integer(spec.offset) + integers(spec.shape) + integers(spec.strides) + "\x89" +
         global("collections", "OrderedDict") + ")RtR";
}
/// {"fc1.weight": tensor}
inline std::string state_dict_of(const TensorSpec& spec) {
  return protocol_2 + "}" + text("fc1.weight") + tensor(spec) + "s.";
}

/// A record of a zip archive. What is not set is as it should be.
struct ZipRecord {
  std::string name = {};
  std::string content = {};                        // as it stands in the file
  std::uint16_t method = 0;                        // 8: deflate
  std::optional<std::uint32_t> claimed_size = {};  // of the inflated content
  std::optional<std::uint32_t> claimed_stored_size = {};
  std::optional<std::uint32_t> checksum = {};
};

inline std::string zip_of(const std::vector<ZipRecord>& records) {
  std::string file;
  std::string directory;
  for (const ZipRecord& record : records) {
    auto stored_size = record.claimed_stored_size.value_or(static_cast<std::uint32_t>(record.content.size()));
    auto checksum = record.checksum.value_or(static_cast<std::uint32_t>(crc32(
        0, reinterpret_cast<const Bytef*>(record.content.data()), static_cast<uInt>(record.content.size()))));
    std::string header = little_endian(20, 2) + little_endian(0, 2) + little_endian(record.method, 2) +
                         little_endian(0, 2) + little_endian(0x21, 2) + little_endian(checksum, 4) +
                         little_endian(stored_size, 4) +
                         little_endian(record.claimed_size.value_or(stored_size), 4) +
                         little_endian(record.name.size(), 2) + little_endian(0, 2);
    directory += "PK\x01\x02" + little_endian(20, 2) + header + little_endian(0, 8) + little_endian(0, 2) +
                 little_endian(file.size(), 4) + record.name;
    file += "PK\x03\x04" + header + record.name + record.content;
  }
  std::string end = "PK\x05\x06" + little_endian(0, 4) + little_endian(records.size(), 2) +
                    little_endian(records.size(), 2) + little_endian(directory.size(), 4) +
                    little_endian(file.size(), 4) + little_endian(0, 2);
  return file + directory + end;
}

/// Raw deflate, as zip uses it.
inline std::string deflated(const std::string& content) {
  z_stream stream{};
  (void)deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
  std::string result(deflateBound(&stream, static_cast<uLong>(content.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  (void)deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

/// The archive of `pickle` with one storage, data/0.
inline std::string checkpoint_of(const std::string& pickle,
                                 const std::string& storage = std::string(24, 'x')) {
  return zip_of({{.name = "archive/data.pkl", .content = pickle},
                 {.name = "archive/data/0", .content = storage},
                 {.name = "archive/version", .content = "3\n"}});
}

}  // namespace zeropoint::toolchain::testing_files
