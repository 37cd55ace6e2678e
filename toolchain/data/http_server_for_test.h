#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace zeropoint::toolchain {

/// How the server answers for one path.
struct Page {
  std::string body;
  int status = 200;
  bool ranges = true;                   ///< answers a range with 206, or ignores it
  std::size_t cut = std::string::npos;  ///< hangs up after so many bytes of the body
  bool stall = false;                   ///< instead of hanging up, says nothing more
  std::string location{};               ///< for a redirect
};

/// A web server on 127.0.0.1, with one connection at a time, that can misbehave on purpose.
class HttpServer {
 public:
  HttpServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(socket_, 8), 0);
    EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() {
    ::shutdown(socket_, SHUT_RDWR);  // wakes accept
    thread_.join();
    ::close(socket_);
  }

  [[nodiscard]] std::string url(const std::string& folder) const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/" + folder + "/";
  }
  /// Sets the answer for "folder/name"; other paths are 404.
  void put(const std::string& path, Page page) {
    std::lock_guard lock(mutex_);
    pages_["/" + path] = std::move(page);
  }
  /// What was asked for so far: "/folder/name" or "/folder/name from 5".
  std::vector<std::string> requests() {
    std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    int connection = 0;
    while ((connection = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0) {
      answer(connection);
      ::close(connection);
    }
  }

  static void send_all(int connection, std::string_view text) {
    while (!text.empty()) {
      ssize_t sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;
      }
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  void answer(int connection) {
    std::string request;
    char piece[1024];
    while (request.find("\r\n\r\n") == std::string::npos) {
      ssize_t count = ::recv(connection, piece, sizeof(piece), 0);
      if (count <= 0) {
        return;
      }
      request.append(piece, static_cast<std::size_t>(count));
    }
    std::string path = request.substr(4, request.find(' ', 4) - 4);
    std::size_t range = request.find("Range: bytes=");
    std::size_t start = range == std::string::npos ? 0 : std::strtoul(&request[range + 13], nullptr, 10);
    Page page{"not here", 404};
    {
      std::lock_guard lock(mutex_);
      requests_.push_back(path + (start > 0 ? " from " + std::to_string(start) : ""));
      if (auto found = pages_.find(path); found != pages_.end()) {
        page = found->second;
      }
    }
    if (start > 0 && page.ranges && page.status == 200) {
      page.status = start < page.body.size() ? 206 : 416;
      page.body = page.status == 206 ? page.body.substr(start) : "";
    }
    std::string head = "HTTP/1.1 " + std::to_string(page.status) +
                       " x\r\nConnection: close\r\nContent-Length: " + std::to_string(page.body.size()) +
                       "\r\n";
    head += page.location.empty() ? "\r\n" : "Location: " + page.location + "\r\n\r\n";
    send_all(connection, head + page.body.substr(0, std::min(page.cut, page.body.size())));
    if (page.stall) {
      (void)::recv(connection, piece, sizeof(piece), 0);  // until the client has enough of it
    }
  }

  int socket_;
  int port_ = 0;
  std::mutex mutex_;
  std::map<std::string, Page> pages_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace zeropoint::toolchain
