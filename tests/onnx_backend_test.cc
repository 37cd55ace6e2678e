// ONNX's own backend tests, as Debian's libonnx-testdata installs them: every model is imported and run in
// float, and its outputs compared with those that come with it, within the tolerances of ONNX's test runner.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>

#include "import/onnx_tensor.h"
#include "onnx_backend_exceptions.h"
#include "zeropoint/half.h"
#include "zeropoint/toolchain/float_executor.h"
#include "zeropoint/toolchain/onnx.h"

namespace zeropoint::toolchain {
namespace {

namespace fs = std::filesystem;

const fs::path kData = "/usr/share/libonnx-testdata/data";

std::vector<fs::path> sorted_entries(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> entries;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(prefix)) {
      entries.push_back(entry.path());
    }
  }
  // input_10 comes after input_9.
  std::sort(entries.begin(), entries.end(), [](const fs::path& a, const fs::path& b) {
    std::string left = a.filename().string();
    std::string right = b.filename().string();
    return left.size() != right.size() ? left.size() < right.size() : left < right;
  });
  return entries;
}

/// The tensors input_0.pb, input_1.pb, ... or output_0.pb, ... of a data set.
Result<std::vector<Tensor>> read_tensors(const fs::path& folder, const std::string& prefix) {
  std::vector<Tensor> tensors;
  for (const fs::path& path : sorted_entries(folder, prefix)) {
    std::ifstream file(path, std::ios::binary);
    onnx::TensorProto proto;
    if (!proto.ParseFromIstream(&file)) {
      return Status::unsupported(path.filename().string() + " is no tensor");
    }
    ZP_ASSIGN_OR_RETURN(Tensor tensor, tensor_from_proto(proto));
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

bool is_close(double actual, double expected) {
  if (std::isnan(expected) || std::isinf(expected)) {
    return std::isnan(expected) ? std::isnan(actual) : actual == expected;
  }
  return std::abs(actual - expected) <= 1e-7 + 1e-3 * std::abs(expected);
}

/// Empty where they agree.
std::string difference(const Tensor& actual, const Tensor& expected) {
  if (actual.type() != expected.type() || actual.shape() != expected.shape()) {
    return "gives " + std::string(name_of(actual.type())) + zeropoint::to_string(actual.shape()) +
           " instead of " + std::string(name_of(expected.type())) + zeropoint::to_string(expected.shape());
  }
  if (is_half(actual.type())) {
    return difference(widen(actual), widen(expected));
  }
  if (actual.type() != ElementType::kFloat32 && actual.type() != ElementType::kFloat64) {
    return actual == expected ? "" : "integers differ";
  }
  for (std::int64_t i = 0; i < actual.size(); ++i) {
    auto at = static_cast<std::size_t>(i);
    bool wide = actual.type() == ElementType::kFloat64;
    double a = wide ? actual.data<double>()[at] : actual.data<float>()[at];
    double b = wide ? expected.data<double>()[at] : expected.data<float>()[at];
    if (!is_close(a, b)) {
      return "element " + std::to_string(i) + " is " + std::to_string(a) + " instead of " + std::to_string(b);
    }
  }
  return "";
}

Status run_data_set(FloatExecutor& executor, const fs::path& folder) {
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> inputs, read_tensors(folder, "input_"));
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> expected, read_tensors(folder, "output_"));
  ZP_ASSIGN_OR_RETURN(std::vector<Tensor> outputs, executor.run(inputs));
  if (outputs.size() != expected.size()) {
    return Status::internal("gives " + std::to_string(outputs.size()) + " outputs instead of " +
                            std::to_string(expected.size()));
  }
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    std::string found = difference(outputs[i], expected[i]);
    if (!found.empty()) {
      return Status::internal("output " + std::to_string(i) + " " + found);
    }
  }
  return {};
}

Status run_case(const fs::path& folder) {
  ZP_ASSIGN_OR_RETURN(Graph graph, read_onnx((folder / "model.onnx").string()));
  ZP_ASSIGN_OR_RETURN(FloatExecutor executor, FloatExecutor::create(graph, {.threads = 1}));
  for (const fs::path& data : sorted_entries(folder, "test_data_set_")) {
    ZP_RETURN_IF_ERROR(run_data_set(executor, data));
  }
  return {};
}

class OnnxBackend : public testing::TestWithParam<const char*> {};

TEST_P(OnnxBackend, EveryModelComputesWhatItSays) {
  fs::path folder = kData / GetParam();
  if (!fs::exists(folder)) {
    GTEST_SKIP() << folder << " is not there; the Debian package libonnx-testdata has it";
  }
  std::size_t passed = 0;
  std::size_t excepted = 0;
  std::map<std::string, std::size_t> exceptions;  // by reason
  for (const fs::path& path : sorted_entries(folder, "test_")) {
    std::string name = path.filename().string();
    if (!fs::exists(path / "model.onnx")) {
      continue;  // the larger models are only named there
    }
    Status status = run_case(path);
    const BackendException* exception = find_exception(name);
    if (status.ok()) {
      ++passed;
      EXPECT_EQ(exception, nullptr) << name << " passes; it is no exception any more";
    } else {
      ++excepted;
      EXPECT_NE(exception, nullptr) << name << ": " << status.message();
      ++exceptions[exception == nullptr ? name : std::string(exception->reason)];
    }
  }
  for (const auto& [reason, models] : exceptions) {
    std::printf("%zu not computed: %s\n", models, reason.c_str());
  }
  std::printf("%s: %zu models pass, %zu are exceptions\n", GetParam(), passed, excepted);
}

INSTANTIATE_TEST_SUITE_P(All, OnnxBackend,
                         testing::Values("node", "simple", "pytorch-converted", "pytorch-operator", "real"),
                         [](const auto& parameter) {
                           std::string name = parameter.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace zeropoint::toolchain
