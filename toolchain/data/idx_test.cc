#include "zeropoint/toolchain/idx.h"

#include <gtest/gtest.h>

#include <initializer_list>

#include "data/gzip_for_test.h"

namespace zeropoint::toolchain {
namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes(std::initializer_list<int> values) {
  Bytes result;
  for (int value : values) {
    result.push_back(static_cast<std::byte>(value));
  }
  return result;
}

Bytes two_by_three() { return bytes({0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255}); }

TEST(Idx, ReadsPlainAndGzip) {
  for (const Bytes& content : {two_by_three(), gzip(two_by_three())}) {
    Result<IdxArray> array = parse_idx(content);
    ASSERT_TRUE(array.ok()) << array.status().message();
    EXPECT_EQ(array->shape, (Shape{2, 3}));
    EXPECT_EQ(array->data, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 255}));
  }
}

TEST(Idx, ReadsAnArrayWithoutElements) {
  Result<IdxArray> array = parse_idx(bytes({0, 0, 8, 1, 0, 0, 0, 0}));
  ASSERT_TRUE(array.ok());
  EXPECT_TRUE(array->data.empty());
  EXPECT_TRUE(parse_idx(gzip(bytes({0, 0, 8, 1, 0, 0, 0, 0}))).ok());
}

TEST(Idx, ReadsArraysThatArriveInManyPieces) {
  Bytes content = bytes({0, 0, 8, 1, 0, 0x50, 0, 1});
  content.resize(8 + 0x500001, std::byte{7});
  Result<IdxArray> array = parse_idx(gzip(content));
  ASSERT_TRUE(array.ok()) << array.status().message();
  EXPECT_EQ(array->data.size(), 0x500001u);
  EXPECT_EQ(array->data.back(), 7);
}

TEST(Idx, RefusesEveryTruncation) {
  for (const Bytes& content : {two_by_three(), gzip(two_by_three())}) {
    for (std::size_t size = 0; size < content.size(); ++size) {
      EXPECT_EQ(parse_idx(std::span(content).first(size)).status().code(), StatusCode::kCorrupt) << size;
    }
  }
}

TEST(Idx, RefusesSurplusBytes) {
  Bytes content = two_by_three();
  content.push_back(std::byte{0});
  EXPECT_EQ(parse_idx(content).status().message(),
            "the header says [2, 3]: more bytes follow the last element");
  EXPECT_EQ(parse_idx(gzip(content)).status().message(),
            "the header says [2, 3]: more content follows the last element");
  Bytes compressed = gzip(two_by_three());
  compressed.push_back(std::byte{0});
  EXPECT_EQ(parse_idx(compressed).status().message(),
            "the header says [2, 3]: more bytes follow the gzip stream");
}

TEST(Idx, NoticesDamageByTheChecksum) {
  Bytes content = gzip(two_by_three());
  content[content.size() - 8] ^= std::byte{1};  // CRC-32
  EXPECT_NE(parse_idx(content).status().message().find("incorrect data check"), std::string::npos);
  content = gzip(two_by_three());
  content[content.size() - 4] ^= std::byte{1};  // length
  EXPECT_EQ(parse_idx(content).status().code(), StatusCode::kCorrupt);
}

TEST(Idx, SaysWhichHeaderItCannotRead) {
  EXPECT_EQ(parse_idx(bytes({0, 0, 0x0d, 1, 0, 0, 0, 0})).status().message(),
            "the elements are of IDX type 0x0d (32-bit float); only unsigned bytes are read");
  EXPECT_EQ(parse_idx(bytes({0, 0, 0x0d, 1})).status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(parse_idx(bytes({0x89, 'P', 'N', 'G'})).status().message(),
            "the file begins with 89 50 4e 47, not with the magic number of IDX");
  EXPECT_EQ(parse_idx(bytes({0, 0, 7, 1})).status().code(), StatusCode::kCorrupt);
  EXPECT_EQ(parse_idx(bytes({0, 0, 8, 0, 1})).status().message(), "the header says rank 0");
}

TEST(Idx, HeaderClaimsCostNothing) {
  // 4 GiB claimed, 3 bytes there: neither form may ask for the memory, nor take noticeable time.
  Bytes content = bytes({0, 0, 8, 2, 0, 1, 0, 0, 0, 1, 0, 0, 1, 2, 3});
  EXPECT_EQ(parse_idx(content).status().code(), StatusCode::kCorrupt);
  EXPECT_EQ(parse_idx(gzip(content)).status().code(), StatusCode::kCorrupt);
  content[7] = std::byte{1};
  EXPECT_EQ(parse_idx(content).status().code(), StatusCode::kUnsupported);
  Bytes huge = bytes({0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255});
  EXPECT_EQ(parse_idx(huge).status().code(), StatusCode::kUnsupported);
}

TEST(Idx, StopsAtTheSizeTheHeaderAllows) {
  Bytes bomb = bytes({0, 0, 8, 1, 0, 0, 0, 2});
  bomb.resize(std::size_t{64} << 20);
  EXPECT_EQ(parse_idx(gzip(bomb)).status().message(),
            "the header says [2]: more content follows the last element");
}

TEST(Idx, NamesTheFile) {
  EXPECT_EQ(read_idx("/no/such/file").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(read_idx("/no/such/file").status().message().find("/no/such/file"), 0u);
}

}  // namespace
}  // namespace zeropoint::toolchain
