#include "io/sha256.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>

#include <array>

namespace zeropoint::toolchain {

struct Sha256::Context {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> state{EVP_MD_CTX_new(), EVP_MD_CTX_free};
  bool good = state != nullptr && EVP_DigestInit_ex(state.get(), EVP_sha256(), nullptr) == 1;
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {}
Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> piece) {
  context_->good = context_->good && EVP_DigestUpdate(context_->state.get(), piece.data(), piece.size()) == 1;
}

Result<std::string> Sha256::digest() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (!context_->good || EVP_DigestFinal_ex(context_->state.get(), digest.data(), &size) != 1) {
    return Status::internal("SHA-256 failed");
  }
  return fmt::format("{:02x}", fmt::join(digest.begin(), digest.begin() + size, ""));
}

}  // namespace zeropoint::toolchain
