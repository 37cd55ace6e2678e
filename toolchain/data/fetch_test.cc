#include "data/fetch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "data/http_server_for_test.h"
#include "io/temporary_path_for_test.h"
#include "zeropoint/toolchain/file.h"

namespace zeropoint::toolchain {
namespace {

using Requests = std::vector<std::string>;

class Fetch : public testing::Test {
 protected:
  Fetch() {
    ::setenv("no_proxy", "127.0.0.1", 1);
    for (std::size_t i = 0; i < 300000; ++i) {
      large_.push_back(static_cast<char>((i * 7 + i / 251) % 256));
    }
    options_.folder = folder_;
    options_.mirrors = {server_.url("one"), server_.url("two")};
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Status fetch() { return fetch_files(files_, options_); }
  void write(const std::string& name, std::string_view content) const {
    std::filesystem::create_directories(folder_);
    ASSERT_TRUE(write_file(folder_ + "/" + name, content).ok());
  }
  [[nodiscard]] std::string content(const std::string& name) const {
    Result<std::vector<std::byte>> bytes = read_file(folder_ + "/" + name);
    return bytes.ok() ? std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size()) : "no file";
  }
  /// The folder holds the right file and nothing else.
  void expect_done() const {
    EXPECT_TRUE(content("a") == large_);
    EXPECT_EQ(content("a.part"), "no file");
  }

  HttpServer server_;
  std::string large_;
  std::string folder_ = temporary_path_for_test("fetch");
  std::vector<RemoteFile> files_ = {
      {"a", 300000, "5a67e7e545f6c42a3662c41aa6e0ede53d2a9011915681169310b402a518bf24"}};
  DownloadOptions options_;
};

TEST_F(Fetch, DownloadsAndKeepsWhatIsRight) {
  files_.push_back({"b", 12, "09ca7e4eaa6e8ae9c7d261167129184883644d07dfba7cbfbc4c8a2e08360d5b"});
  server_.put("one/a", {large_});
  server_.put("one/b", {"hello, world"});
  std::vector<std::pair<std::string, std::int64_t>> reported;
  options_.progress = [&](const std::string& file, std::int64_t done, std::int64_t total) {
    EXPECT_EQ(total, file == "a" ? 300000 : 12);
    reported.emplace_back(file, done);
  };
  Status status = fetch();
  ASSERT_TRUE(status.ok()) << status.message();
  expect_done();
  EXPECT_EQ(content("b"), "hello, world");
  EXPECT_EQ(reported.back(), (std::pair<std::string, std::int64_t>("b", 12)));
  EXPECT_GE(reported.size(), 3u);
  EXPECT_TRUE(fetch().ok());
  EXPECT_EQ(server_.requests(), (Requests{"/one/a", "/one/b"}));
}

TEST_F(Fetch, ReplacesAFileThatIsWrong) {
  server_.put("one/a", {large_});
  write("a", std::string(300000, 'x'));
  EXPECT_TRUE(fetch().ok());
  expect_done();
}

TEST_F(Fetch, FallsThroughToTheNextMirror) {
  options_.mirrors.insert(options_.mirrors.begin(), "http://127.0.0.1:1/");  // nobody listens
  server_.put("two/a", {large_});
  EXPECT_TRUE(fetch().ok());
  expect_done();
  EXPECT_EQ(server_.requests(), (Requests{"/one/a", "/two/a"}));
}

TEST_F(Fetch, ContinuesABrokenDownload) {
  server_.put("one/a", {.body = large_, .cut = 100000});
  server_.put("two/a", {large_});
  EXPECT_TRUE(fetch().ok());
  expect_done();
  EXPECT_EQ(server_.requests(), (Requests{"/one/a", "/two/a from 100000"}));
}

TEST_F(Fetch, ContinuesInTheNextCall) {
  server_.put("one/a", {.body = large_, .cut = 100000});
  options_.mirrors.pop_back();
  Status status = fetch();
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find("a could not be downloaded: http://127.0.0.1"), std::string::npos);
  EXPECT_EQ(content("a"), "no file");
  EXPECT_EQ(content("a.part").size(), 100000u);
  server_.put("one/a", {large_});
  EXPECT_TRUE(fetch().ok());
  expect_done();
  EXPECT_EQ(server_.requests(), (Requests{"/one/a", "/one/a from 100000"}));
}

TEST_F(Fetch, StartsAgainWhereRangesAreIgnored) {
  write("a.part", "something else");
  server_.put("one/a", {.body = large_, .ranges = false});
  EXPECT_TRUE(fetch().ok());
  expect_done();
  EXPECT_EQ(server_.requests(), (Requests{"/one/a from 14"}));
}

TEST_F(Fetch, ThrowsAwayAPartOfAnotherFile) {
  write("a.part", std::string(1000, 'x'));
  server_.put("one/a", {large_});
  server_.put("two/a", {large_});
  EXPECT_TRUE(fetch().ok());
  expect_done();
  EXPECT_EQ(server_.requests(), (Requests{"/one/a from 1000", "/two/a"}));
}

TEST_F(Fetch, UsesAPartThatIsComplete) {
  write("a.part", large_);
  EXPECT_TRUE(fetch().ok());
  expect_done();
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(Fetch, IgnoresAPartThatIsTooLong) {
  write("a.part", large_ + "x");
  server_.put("one/a", {large_});
  EXPECT_TRUE(fetch().ok());
  expect_done();
  EXPECT_EQ(server_.requests(), (Requests{"/one/a"}));
}

TEST_F(Fetch, RefusesOtherContent) {
  std::string other = large_;
  other[5] ^= 1;
  server_.put("one/a", {other});
  server_.put("two/a", {"<html>please log in</html>"});
  Status status = fetch();
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_NE(status.message().find("one/a: sent other content than published"), std::string::npos);
  EXPECT_NE(status.message().find("two/a: sent 26 bytes where 300000 were published"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(Fetch, StopsAtThePublishedSize) {
  server_.put("one/a", {large_ + large_});
  server_.put("two/a", {.body = "", .status = 200});
  Status status = fetch();
  EXPECT_EQ(status.code(), StatusCode::kCorrupt);
  EXPECT_NE(status.message().find("sends more than the 300000 bytes"), std::string::npos);
  EXPECT_NE(status.message().find("sent 0 bytes"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(Fetch, ForgetsAPartTheMirrorHasNoEndOf) {
  write("a.part", std::string(1000, 'x'));
  server_.put("one/a", {"short"});
  server_.put("two/a", {large_});
  EXPECT_TRUE(fetch().ok());
  EXPECT_EQ(server_.requests(), (Requests{"/one/a from 1000", "/two/a"}));
}

TEST_F(Fetch, GivesUpAStalledMirror) {
  server_.put("one/a", {.body = large_, .cut = 500, .stall = true});
  server_.put("two/a", {large_});
  options_.stall_timeout_seconds = 1;
  auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(fetch().ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(25));
  expect_done();
  EXPECT_EQ(server_.requests().back(), "/two/a from 500");
}

TEST_F(Fetch, FollowsRedirectsToTheWebOnly) {
  server_.put("one/a", {.body = "", .status = 302, .location = "/two/a"});
  server_.put("two/a", {large_});
  EXPECT_TRUE(fetch().ok());
  expect_done();
  std::filesystem::remove_all(folder_);
  write("secret", large_);
  server_.put("one/a", {.body = "", .status = 302, .location = "file://" + folder_ + "/secret"});
  options_.mirrors.pop_back();
  EXPECT_EQ(fetch().code(), StatusCode::kIo);
  EXPECT_EQ(content("a"), "no file");
}

TEST_F(Fetch, CopiesFromAFolder) {
  std::string source = folder_ + "/source";
  std::filesystem::create_directories(source);
  ASSERT_TRUE(write_file(source + "/a", large_).ok());
  write("a.part", "x");
  options_.mirrors = {"file://" + source};
  EXPECT_TRUE(fetch().ok());
  expect_done();
}

TEST_F(Fetch, RefusesOtherProtocolsAndFolders) {
  options_.mirrors = {"ftp://127.0.0.1/"};
  EXPECT_EQ(fetch().message(), "mirror ftp://127.0.0.1/: only http://, https:// and file:// are allowed");
  options_.mirrors = {};
  EXPECT_EQ(fetch().message(), "a could not be downloaded: no mirror was given");
  options_.mirrors = {server_.url("one")};
  server_.put("one/a", {large_});
  write("taken", "");
  options_.folder = folder_ + "/taken";
  EXPECT_EQ(fetch().code(), StatusCode::kIo);
  options_.folder = folder_;
  std::filesystem::create_directories(folder_ + "/a.part");
  EXPECT_EQ(fetch().code(), StatusCode::kIo);
  EXPECT_NE(fetch().message().find("a.part: cannot write"), std::string::npos);
}

TEST(DownloadMnist, AsksEveryMirrorForThePublishedNames) {
  ::setenv("no_proxy", "127.0.0.1", 1);
  HttpServer server;
  DownloadOptions options;
  options.folder = temporary_path_for_test("mnist");
  options.mirrors = {server.url("m")};
  EXPECT_EQ(download_mnist(options).code(), StatusCode::kIo);
  EXPECT_EQ(server.requests(), (Requests{"/m/train-images-idx3-ubyte.gz"}));
  std::filesystem::remove_all(options.folder);
}

}  // namespace
}  // namespace zeropoint::toolchain
