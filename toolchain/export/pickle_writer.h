#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint::toolchain {

/// Writes values as a pickle of protocol 2, with the opcodes that torch.load(weights_only=True) knows. The
/// n-th tensor becomes the storage "n"; its bytes are the caller's to write.
class PickleWriter {
 public:
  PickleWriter();

  /// The whole value. Tensors are referred to until the end, not copied. See write_checkpoint for errors.
  Status write(const CheckpointValue& value);
  Status write(const StateDict& state_dict);

  /// Ends the pickle and returns it.
  std::string finish();
  /// The tensors in the order of their storages.
  [[nodiscard]] const std::vector<const Tensor*>& tensors() const { return tensors_; }

 private:
  Status put(std::monostate);
  Status put(bool value);
  Status put(std::int64_t value);
  Status put(double value);
  Status put(const std::string& value);
  Status put(const Tensor& tensor);
  Status put(const CheckpointSequence& sequence);
  Status put(const CheckpointDict& dict);
  void put_global(std::string_view module, std::string_view name);
  void put_integers(const Shape& integers);
  void put_bytes(std::uint64_t value, int bytes);

  std::string out_;
  std::vector<const Tensor*> tensors_;
  std::size_t depth_ = 0;
};

}  // namespace zeropoint::toolchain
