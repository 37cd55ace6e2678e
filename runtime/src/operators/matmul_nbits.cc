// com.microsoft MatMulNBits: y = a W^T, where W [N, K] is stored as unsigned integers of 2, 4 or 8 bits in
// blocks of block_size along K, each with a scale and a zero point (2^(bits - 1) unless input 3 says
// another). Elements and zero points are packed lowest bits first. Inputs: a, b [N, blocks, bytes], scales,
// zero_points, g_idx, bias.

#include "operators/apply.h"
#include "operators/operators.h"
#include "operators/visit_type.h"

namespace zeropoint::operators {
namespace {

/// The i-th integer of `bits` bits.
std::int64_t unpacked(const std::uint8_t* bytes, std::int64_t i, std::int64_t bits) {
  std::int64_t per_byte = 8 / bits;
  return (bytes[i / per_byte] >> (i % per_byte * bits)) & ((1 << bits) - 1);
}

struct Blocks {
  std::int64_t n, k, bits, size;

  [[nodiscard]] std::int64_t count() const { return (k + size - 1) / size; }
  [[nodiscard]] std::int64_t bytes() const { return size * bits / 8; }
  [[nodiscard]] std::int64_t zero_bytes() const { return (count() * bits + 7) / 8; }
};

Result<Blocks> blocks_of(const OperatorCall& call) {
  Blocks blocks{call.int_attribute("N"), call.int_attribute("K"), call.int_attribute("bits"),
                call.int_attribute("block_size")};
  constexpr std::int64_t kFar = std::int64_t{1} << 31;
  bool sound = blocks.n >= 1 && blocks.n < kFar && blocks.k >= 1 && blocks.k < kFar && blocks.size >= 16 &&
               blocks.size < kFar && (blocks.size & (blocks.size - 1)) == 0 &&
               (blocks.bits == 2 || blocks.bits == 4 || blocks.bits == 8);
  if (!sound) {
    return Status::invalid_argument(
        "attributes N, K, bits or block_size are out of range (2, 4 or 8 bits; blocks of a power of two from "
        "16)");
  }
  const Tensor& b = call.input(1);
  const Tensor& scales = call.input(2);
  if (b.type() != ElementType::kUint8 || b.size() != blocks.n * blocks.count() * blocks.bytes() ||
      scales.type() != ElementType::kFloat32 || scales.size() != blocks.n * blocks.count()) {
    return Status::invalid_argument("weights ", b.shape(), " and scales ", scales.shape(),
                                    " do not fit N, K, bits and block_size");
  }
  return blocks;
}

/// The zero point of each block.
Result<std::vector<float>> zero_points_of(const OperatorCall& call, const Blocks& blocks) {
  std::vector<float> zeros(static_cast<std::size_t>(blocks.n * blocks.count()),
                           static_cast<float>(1 << (blocks.bits - 1)));
  if (!call.has(3)) {
    return zeros;
  }
  const Tensor& given = call.input(3);
  if (given.type() == ElementType::kFloat32 && given.size() == static_cast<std::int64_t>(zeros.size())) {
    zeros.assign(given.data<float>().begin(), given.data<float>().end());
  } else if (given.type() == ElementType::kUint8 && given.size() == blocks.n * blocks.zero_bytes()) {
    for (std::size_t i = 0; i < zeros.size(); ++i) {
      auto row = static_cast<std::int64_t>(i) / blocks.count();
      zeros[i] = static_cast<float>(unpacked(given.data<std::uint8_t>().data() + row * blocks.zero_bytes(),
                                             static_cast<std::int64_t>(i) % blocks.count(), blocks.bits));
    }
  } else {
    return Status::invalid_argument("zero points ", name_of(given.type()), given.shape(),
                                    " do not fit N, K, bits and block_size");
  }
  return zeros;
}

}  // namespace

Result<std::vector<Tensor>> matmul_nbits(const OperatorCall& call) {
  if (call.has(4)) {
    return Status::unsupported("weights in another order (g_idx) are not computed here");
  }
  if (call.input(0).type() != ElementType::kFloat32) {
    return Status::invalid_argument("its input must be float32");
  }
  ZP_ASSIGN_OR_RETURN(Blocks blocks, blocks_of(call));
  ZP_ASSIGN_OR_RETURN(std::vector<float> zeros, zero_points_of(call, blocks));
  ZP_ASSIGN_OR_RETURN(Tensor weights, call.make_output(ElementType::kFloat32, {blocks.k, blocks.n}));
  const std::uint8_t* packed = call.input(1).data<std::uint8_t>().data();
  std::span<const float> scales = call.input(2).data<float>();
  std::span<float> reals = weights.data<float>();
  for (std::int64_t n = 0; n < blocks.n; ++n) {
    for (std::int64_t k = 0; k < blocks.k; ++k) {
      auto block = static_cast<std::size_t>(n * blocks.count() + k / blocks.size);
      std::int64_t q =
          unpacked(packed + static_cast<std::int64_t>(block) * blocks.bytes(), k % blocks.size, blocks.bits);
      reals[static_cast<std::size_t>(k * blocks.n + n)] =
          scales[block] * (static_cast<float>(q) - zeros[block]);
    }
  }
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> y, apply(Op::kMatMul, {}, {&call.input(0), &weights}, call));
  return call.has(5) ? apply(Op::kAdd, {}, {&y[0], &call.input(5)}, call) : std::move(y);
}

}  // namespace zeropoint::operators
