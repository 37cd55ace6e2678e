#include <algorithm>

#include "float/builders.h"
#include "float/step_table.h"

namespace zeropoint::toolchain {
namespace {

/// ONNX MatMul. A single matrix b serves all of a's rows at once; otherwise both are stacks of as many axes.
class MatMulStep final : public NodeStep {
 public:
  explicit MatMulStep(StepBuilder& builder) : product_(builder.stream()) {
    Shape a = builder.shape(0);
    Shape b = builder.shape(1);
    if (a.size() == 1) {
      a.insert(a.begin(), 1);
    }
    if (b.size() == 1) {
      b.push_back(1);
    }
    if (b.size() == 2) {
      a = {*element_count({a.begin(), a.end() - 1}), a.back()};
    }
    std::size_t rank = std::max(a.size(), b.size());
    a.insert(a.begin(), rank - a.size(), 1);
    b.insert(b.begin(), rank - b.size(), 1);
    Shape y(rank);
    std::transform(a.begin(), a.end(), b.begin(), y.begin(),
                   [](std::int64_t left, std::int64_t right) { return left == 1 ? right : left; });
    y[rank - 2] = a[rank - 2];
    y[rank - 1] = b[rank - 1];
    MemoryDesc a_desc = plain_desc(a);
    MemoryDesc b_desc = plain_desc(b);
    MemoryDesc y_desc = plain_desc(y);
    product_.add(dnnl::matmul(matrix_product(builder.engine(), a_desc, b_desc, y_desc, {})),
                 {{DNNL_ARG_SRC, memory_over(builder.plain_input(0), a_desc)},
                  {DNNL_ARG_WEIGHTS, memory_over(builder.plain_input(1), b_desc)},
                  {DNNL_ARG_DST, memory_over(builder.plain_output(), y_desc)}});
  }

  Status run() override { return product_.run(); }

 private:
  /// The same row-major elements under another shape.
  static dnnl::memory memory_over(const dnnl::memory& memory, const MemoryDesc& desc) {
    return {desc, memory.get_engine(), memory.get_data_handle()};
  }

  PrimitiveStep product_;
};

}  // namespace

Result<std::unique_ptr<NodeStep>> prepare_matmul(StepBuilder& builder) {
  std::unique_ptr<NodeStep> step;
  // oneDNN has stacks of at most 12 axes.
  if (std::max(builder.shape(0).size(), builder.shape(1).size()) <= 12) {
    step = std::make_unique<MatMulStep>(builder);
  }
  return step;
}

}  // namespace zeropoint::toolchain
