// What a user gets for a mistake: one line, exit code 1 (2 for wrong usage), and nothing left behind.

#include <limits>

#include "run_program.h"
#include "zeropoint/toolchain/architectures.h"
#include "zeropoint/toolchain/parameter.h"
#include "zeropoint/toolchain/state_dict.h"

namespace zeropoint {
namespace {

using toolchain::StateDict;

class ProgramErrors : public ProgramTest {
 protected:
  static StateDict lenet() { return toolchain::parameters_of(*toolchain::make_architecture("lenet")); }
  void write(const std::string& name, const StateDict& tensors) const {
    ASSERT_TRUE(toolchain::write_state_dict(path(name), tensors).ok());
  }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
  }
  /// An IDX file of `count` items of `extents`, all bytes `value`.
  void write_idx(const std::string& name, const std::vector<int>& extents, char value) const {
    std::string content{'\0', '\0', '\x08', static_cast<char>(extents.size())};
    std::size_t bytes = 1;
    for (int extent : extents) {
      for (int shift : {24, 16, 8, 0}) {
        content += static_cast<char>(extent >> shift);
      }
      bytes *= static_cast<std::size_t>(extent);
    }
    write(name, content + std::string(bytes, value));
  }
  void write_mnist(int images, int labels, char label) const {
    for (const char* split : {"train", "t10k"}) {
      write_idx(split + std::string("-images-idx3-ubyte"), {images, 28, 28}, 9);
      write_idx(split + std::string("-labels-idx1-ubyte"), {labels}, label);
    }
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(ProgramErrors, MisspeltWordsAreAnsweredWithTheNearest) {
  EXPECT_EQ(fail(2, "quantise m.pt"),
            "zeropoint: unknown verb 'quantise'; did you mean quantize?; see zeropoint --help\n");
  EXPECT_EQ(fail(2, "train --epohcs 3"),
            "zeropoint train: unknown option --epohcs; did you mean --epochs?; see zeropoint train --help\n");
  EXPECT_EQ(
      fail(2, "eval m.pt --requantise=float"),
      "zeropoint eval: unknown option --requantise; did you mean --requantize?; see zeropoint eval --help\n");
  EXPECT_TRUE(contains(fail(2, "eval m.pt --engine flaot"), "did you mean float?"));
  EXPECT_TRUE(contains(fail(2, "train --optimizer adan"), "did you mean adam?"));
  EXPECT_TRUE(contains(fail(2, "train --arch lenett"), "did you mean lenet?"));
  EXPECT_TRUE(contains(fail(2, "train --schedule cosin"), "did you mean cosine?"));
  EXPECT_TRUE(contains(fail(2, "train --schedule step:size=zero"), "size"));
  EXPECT_TRUE(contains(fail(2, "data mnsit"), "did you mean mnist?"));
  EXPECT_TRUE(contains(fail(2, "eval m.pt --zzzzzzz"), "unknown option --zzzzzzz; see"));
}

TEST_F(ProgramErrors, WrongUsage) {
  (void)fail(2, "");
  (void)fail(2, "eval");
  (void)fail(2, "quantize m.pt");
  (void)fail(2, "quantize m.pt -o x.onnx --weight-bits 9");
  (void)fail(2, "quantize m.pt -o x.onnx --weight-bits 1");
  (void)fail(2, "train --epochs 0");
  (void)fail(2, "train --epochs many");
  (void)fail(2, "train --lr -1");
  (void)fail(2, "data");
  (void)fail(2, "data mnist --download");
}

TEST_F(ProgramErrors, FilesOfTheWrongKind) {
  EXPECT_TRUE(contains(fail(1, "eval none.pt"), "none.pt: cannot open"));
  EXPECT_TRUE(contains(fail(1, "eval ."), "not a regular file"));
  write("text.pt", std::string("this is no model"));
  EXPECT_TRUE(contains(fail(1, "eval text.pt"), "text.pt: neither an ONNX model nor a state dict"));
  write("empty.onnx", std::string());
  EXPECT_TRUE(contains(fail(1, "inspect empty.onnx"), "empty.onnx: neither"));
  write("plan.json", std::string("{}"));
  write("m.pt", lenet());
  EXPECT_TRUE(
      contains(fail(1, "quantize m.pt -o x.onnx --plan plan.json"), "plan.json: not a zeropoint plan"));
  EXPECT_TRUE(contains(fail(1, "train --synthetic --json --resume m.pt"), "m.pt"));
  EXPECT_EQ(files(), (std::vector<std::string>{"empty.onnx", "m.pt", "plan.json", "text.pt"}));
}

TEST_F(ProgramErrors, StateDictsThatDoNotFit) {
  StateDict missing = lenet();
  missing.tensors.erase(missing.tensors.begin() + 4);
  write("missing.pt", missing);
  EXPECT_TRUE(contains(fail(1, "eval missing.pt"), "missing.pt: "));
  EXPECT_TRUE(contains(fail(1, "eval missing.pt"), "fc1.weight"));

  StateDict shape = lenet();
  shape.tensors[4].second = Tensor(ElementType::kFloat32, {120, 400});
  write("shape.pt", shape);
  EXPECT_TRUE(contains(fail(1, "quantize shape.pt -o x.onnx"), "[120, 400]"));

  StateDict nan = lenet();
  nan.tensors[2].second.data<float>()[7] = std::numeric_limits<float>::quiet_NaN();
  write("nan.pt", nan);
  EXPECT_TRUE(contains(fail(1, "quantize nan.pt -o x.onnx"), "conv2.weight"));
  EXPECT_EQ(files(), (std::vector<std::string>{"missing.pt", "nan.pt", "shape.pt"}));
}

TEST_F(ProgramErrors, DataThatCannotBe) {
  write("m.pt", lenet());
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data nowhere"), "nowhere"));
  EXPECT_TRUE(contains(fail(1, "data mnist"), "use --data FOLDER, or set ZEROPOINT_DATA"));
  write_mnist(3, 4, 1);
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data ."), "labels"));
  write_mnist(3, 3, 11);
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data ."), "11"));
  write_mnist(0, 0, 1);
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data ."), "no images"));
  write_idx("t10k-images-idx3-ubyte", {2, 20, 20}, 0);
  write_idx("t10k-labels-idx1-ubyte", {2}, 0);
  EXPECT_TRUE(contains(fail(1, "eval m.pt --data ."), "1, 20, 20]"));
}

TEST_F(ProgramErrors, UnwritableOutputsLeaveNothing) {
  write("m.pt", lenet());
  EXPECT_TRUE(contains(fail(1, "quantize m.pt --synthetic -o no/such/folder/x.onnx"),
                       "no/such/folder/x.onnx: cannot write"));
  EXPECT_TRUE(contains(fail(1, "train --synthetic --limit 64 --epochs 1 --json -o no/x.pt"),
                       "no/x.pt: cannot write"));
  EXPECT_TRUE(contains(fail(1, "quantize m.pt --synthetic -o /dev/full"), "/dev/full"));
  EXPECT_EQ(files(), std::vector<std::string>{"m.pt"});
}

TEST_F(ProgramErrors, AFullDiskIsReported) {
  write("m.pt", lenet());
  EXPECT_EQ(run("inspect m.pt >/dev/full; echo $?").out, "1\n");
}

}  // namespace
}  // namespace zeropoint
