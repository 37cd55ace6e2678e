#include "data/fetch.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "data/boundary.h"
#include "io/sha256.h"

namespace zeropoint::toolchain {
namespace {

constexpr long kLeastBytesPerSecond = 1000;
constexpr long kMostRedirects = 5;

struct CloseFile {
  void operator()(std::FILE* file) const { (void)std::fclose(file); }
};
using FilePointer = std::unique_ptr<std::FILE, CloseFile>;

struct CloseCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
using CurlPointer = std::unique_ptr<CURL, CloseCurl>;

Result<std::string> sha256_of(const std::string& path) {
  FilePointer file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) {
    return Status::io(fmt::format("{}: cannot open: {}", path, std::strerror(errno)));
  }
  Sha256 sum;
  std::vector<std::byte> piece(std::size_t{1} << 16);
  std::size_t count = 0;
  while ((count = std::fread(piece.data(), 1, piece.size(), file.get())) > 0) {
    sum.add(std::span(piece).first(count));
  }
  if (std::ferror(file.get()) != 0) {
    return Status::io(fmt::format("{}: cannot read: {}", path, std::strerror(errno)));
  }
  Result<std::string> digest = sum.digest();
  return digest.ok() ? digest : digest.status().at(path);
}

/// The size of the regular file at `path`, or -1.
std::int64_t size_of_file(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return -1;
  }
  auto size = std::filesystem::file_size(path, error);
  return error ? -1 : static_cast<std::int64_t>(size);
}

void remove_file(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

Status check_content(const std::string& path, const RemoteFile& file) {
  if (std::int64_t size = size_of_file(path); size != file.size) {
    return Status::corrupt(
        fmt::format("sent {} bytes where {} were published", std::max<std::int64_t>(size, 0), file.size));
  }
  ZP_ASSIGN_OR_RETURN(std::string sha256, sha256_of(path));
  return sha256 == file.sha256 ? Status()
                               : Status::corrupt("sent other content than published (SHA-256 differs)");
}

/// One transfer into a .part file. The callbacks of libcurl run inside transfer(), on its thread.
class Transfer {
 public:
  Transfer(const RemoteFile& file, const DownloadOptions& options, std::string part)
      : file_(file), options_(options), part_(std::move(part)) {}

  /// Appends to the .part file what it lacks, from `url`.
  Status run(const std::string& url) {
    CurlPointer curl(curl_easy_init());
    if (curl == nullptr) {
      return Status::resource_exhausted("libcurl cannot start");
    }
    curl_ = curl.get();
    bool resumable = !url.starts_with("file:");
    start_ = resumable ? std::max<std::int64_t>(size_of_file(part_), 0) : 0;
    std::array<char, CURL_ERROR_SIZE> detail{};
    set(CURLOPT_ERRORBUFFER, detail.data());
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https,file");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, kMostRedirects);
    set(CURLOPT_FAILONERROR, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_USERAGENT, "zeropoint");
    set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(options_.connect_timeout_seconds));
    set(CURLOPT_LOW_SPEED_LIMIT, kLeastBytesPerSecond);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stall_timeout_seconds));
    set(CURLOPT_WRITEFUNCTION, &Transfer::write);
    set(CURLOPT_WRITEDATA, this);
    std::string range = fmt::format("{}-", start_);
    if (start_ > 0) {
      set(CURLOPT_RANGE, range.c_str());
    }
    CURLcode code = curl_easy_perform(curl_);
    bool flushed = out_ == nullptr || std::fclose(out_.release()) == 0;
    if (!failure_.ok()) {
      return failure_;
    }
    if (!flushed) {
      return disk_error();
    }
    if (code == CURLE_OK) {
      return {};
    }
    long response = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &response);
    if (response == kRangeRefused) {
      remove_file(part_);  // longer than what this mirror has: not a piece of it
    }
    return Status::io(detail[0] != '\0' ? detail.data() : curl_easy_strerror(code));
  }

  /// True when the error was this machine's, so that no other mirror can help.
  [[nodiscard]] bool local_failure() const { return local_failure_; }

 private:
  static constexpr long kPartialContent = 206;
  static constexpr long kRangeRefused = 416;

  template <typename Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(curl_, option, value);
  }

  static std::size_t write(char* data, std::size_t size, std::size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    // No exception may pass through libcurl. Fewer bytes than were given make it stop.
    transfer->failure_ = without_exceptions("download", [&] { return transfer->accept(data, size * count); });
    return transfer->failure_.ok() ? size * count : CURL_WRITEFUNC_ERROR;
  }

  Status accept(const char* data, std::size_t size) {
    if (out_ == nullptr) {
      // A server may ignore the range and send the whole file: then it is begun again.
      long response = 0;
      curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &response);
      if (response != kPartialContent) {
        start_ = 0;
      }
      done_ = start_;
      out_.reset(std::fopen(part_.c_str(), start_ > 0 ? "ab" : "wb"));
      if (out_ == nullptr) {
        return disk_error();
      }
    }
    if (static_cast<std::int64_t>(size) > file_.size - done_) {
      out_.reset();
      remove_file(part_);
      return Status::corrupt(fmt::format("sends more than the {} bytes that were published", file_.size));
    }
    if (std::fwrite(data, 1, size, out_.get()) != size) {
      return disk_error();
    }
    done_ += static_cast<std::int64_t>(size);
    if (options_.progress) {
      options_.progress(file_.name, done_, file_.size);
    }
    return {};
  }

  Status disk_error() {
    local_failure_ = true;
    return Status::io(fmt::format("{}: cannot write: {}", part_, std::strerror(errno)));
  }

  const RemoteFile& file_;
  const DownloadOptions& options_;
  const std::string part_;
  CURL* curl_ = nullptr;
  FilePointer out_;
  std::int64_t start_ = 0;
  std::int64_t done_ = 0;
  Status failure_;
  bool local_failure_ = false;
};

/// Checks the complete .part file and gives it its name; removes it when it is wrong.
Status finish(const RemoteFile& file, const std::string& part, const std::string& path) {
  if (Status status = check_content(part, file); !status.ok()) {
    remove_file(part);
    return status;
  }
  if (std::rename(part.c_str(), path.c_str()) != 0) {
    return Status::io(fmt::format("{}: cannot rename {} to it: {}", path, part, std::strerror(errno)));
  }
  return {};
}

Status fetch(const RemoteFile& file, const DownloadOptions& options) {
  std::string path = options.folder + "/" + file.name;
  std::string part = path + ".part";
  if (size_of_file(path) == file.size && check_content(path, file).ok()) {
    if (options.progress) {
      options.progress(file.name, file.size, file.size);
    }
    return {};
  }
  // A .part that is already complete can only be checked; a longer one is nothing of ours.
  if (size_of_file(part) >= file.size && finish(file, part, path).ok()) {
    return {};
  }
  std::string said;
  Status last = Status::invalid_argument("no mirror was given");
  for (const std::string& mirror : options.mirrors) {
    std::string url = mirror + (mirror.ends_with('/') ? "" : "/") + file.name;
    Transfer transfer(file, options, part);
    last = transfer.run(url);
    if (transfer.local_failure()) {
      return last;
    }
    if (last.ok()) {
      last = finish(file, part, path);
    }
    if (last.ok()) {
      return {};
    }
    said += (said.empty() ? "" : "; ") + last.at(url).message();
  }
  return Status(last.code(), file.name, " could not be downloaded: ", said.empty() ? last.message() : said);
}

Status check_mirrors(const std::vector<std::string>& mirrors) {
  for (const std::string& mirror : mirrors) {
    if (!mirror.starts_with("https://") && !mirror.starts_with("http://") && !mirror.starts_with("file://")) {
      return Status::invalid_argument(
          fmt::format("mirror {}: only http://, https:// and file:// are allowed", mirror));
    }
  }
  return {};
}

}  // namespace

Status fetch_files(std::span<const RemoteFile> files, const DownloadOptions& options) {
  return without_exceptions("download", [&]() -> Status {
    ZP_RETURN_IF_ERROR(check_mirrors(options.mirrors));
    static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (started != CURLE_OK) {
      return Status::internal("libcurl cannot start");
    }
    std::error_code error;
    std::filesystem::create_directories(options.folder, error);
    if (error) {
      return Status::io(fmt::format("{}: cannot make this folder: {}", options.folder, error.message()));
    }
    for (const RemoteFile& file : files) {
      ZP_RETURN_IF_ERROR(fetch(file, options));
    }
    return {};
  });
}

}  // namespace zeropoint::toolchain
