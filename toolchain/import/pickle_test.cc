#include "import/pickle.h"

#include <gtest/gtest.h>

#include "import/checkpoint_for_tests.h"

namespace zeropoint::toolchain {
namespace {

using testing_files::bytes_of;
using testing_files::global;
using testing_files::integer;
using testing_files::integers;
using testing_files::little_endian;
using testing_files::protocol_2;
using testing_files::text;

using namespace std::string_literals;

Result<Pickle> run(const std::string& program) { return run_pickle(bytes_of(program)); }

/// What the pickle stands for, in Python's notation.
std::string show(const Pickle& pickle, PickleId id) {
  if (const auto* flag = pickle.get<bool>(id)) {
    return *flag ? "True" : "False";
  }
  if (const auto* number = pickle.get<std::int64_t>(id)) {
    return std::to_string(*number);
  }
  if (const auto* real = pickle.get<double>(id)) {
    return std::to_string(*real);
  }
  if (const auto* string = pickle.get<std::string>(id)) {
    return "'" + *string + "'";
  }
  std::string items;
  if (const auto* sequence = pickle.get<PickleSequence>(id)) {
    for (PickleId item : sequence->items) {
      items += (items.empty() ? "" : ", ") + show(pickle, item);
    }
    return (sequence->is_tuple ? "(" : "[") + items + (sequence->is_tuple ? ")" : "]");
  }
  if (const auto* dict = pickle.get<PickleDict>(id)) {
    for (auto [key, value] : dict->entries) {
      items += (items.empty() ? "" : ", ") + show(pickle, key) + ": " + show(pickle, value);
    }
    return "{" + items + "}";
  }
  return std::string(kind_of(pickle.objects[id]));
}

/// Runs `body` between PROTO 2 and STOP.
std::string value_of(const std::string& body) {
  Result<Pickle> pickle = run(protocol_2 + body + ".");
  return pickle.ok() ? show(*pickle, pickle->root) : pickle.status().message();
}

void expect_error(const std::string& program, StatusCode code, const std::string& part) {
  Result<Pickle> pickle = run(program);
  ASSERT_FALSE(pickle.ok()) << part;
  EXPECT_EQ(pickle.status().code(), code) << pickle.status().message();
  EXPECT_NE(pickle.status().message().find(part), std::string::npos) << pickle.status().message();
}

TEST(Pickle, MakesNumbersStringsAndConstants) {
  EXPECT_EQ(value_of("N"), "None");
  EXPECT_EQ(value_of("\x88"), "True");
  EXPECT_EQ(value_of("\x89"), "False");
  EXPECT_EQ(value_of("K\xff"), "255");
  EXPECT_EQ(value_of("M\xff\xff"), "65535");
  EXPECT_EQ(value_of("J\xff\xff\xff\xff"), "-1");
  EXPECT_EQ(value_of("\x8a\x00"s), "0");
  EXPECT_EQ(value_of("\x8a\x02\xff\x00"s), "255");
  EXPECT_EQ(value_of("\x8a\x01\xff"), "-1");
  EXPECT_EQ(value_of(integer(INT64_MIN)), "-9223372036854775808");
  EXPECT_EQ(value_of("G\xbf\xf8\x00\x00\x00\x00\x00\x00"s), "-1.500000");
  EXPECT_EQ(value_of(text("hello")), "'hello'");
  EXPECT_EQ(value_of("\x8c\x02hi"), "'hi'");
  EXPECT_EQ(value_of("\x8d" + little_endian(2, 8) + "hi"), "'hi'");
}

TEST(Pickle, MakesContainers) {
  EXPECT_EQ(value_of(")"), "()");
  EXPECT_EQ(value_of("K\x01\x85"), "(1)");
  EXPECT_EQ(value_of("K\x01K\x02\x86"), "(1, 2)");
  EXPECT_EQ(value_of("K\x01K\x02K\x03\x87"), "(1, 2, 3)");
  EXPECT_EQ(value_of("(K\x01K\x02K\x03K\x04t"), "(1, 2, 3, 4)");
  EXPECT_EQ(value_of("]K\x01"s + "a"s + "(K\x02K\x03"s + "e"), "[1, 2, 3]");
  EXPECT_EQ(value_of("(K\x01K\x02l"), "[1, 2]");
  EXPECT_EQ(value_of("}K\x01K\x02s(K\x03K\x04K\x05K\x06u"), "{1: 2, 3: 4, 5: 6}");
  EXPECT_EQ(value_of("(K\x01K\x02"s + "d"), "{1: 2}");
  EXPECT_EQ(value_of("K\x01(K\x02K\x03"s + "1"), "1");
  EXPECT_EQ(value_of("K\x01K\x02"s + "0"), "1");
  EXPECT_EQ(value_of("K\x01("s + "0"), "1");
}

TEST(Pickle, SharesThroughTheMemo) {
  EXPECT_EQ(value_of("K\x07q\x00h\x00\x86"s), "(7, 7)");
  EXPECT_EQ(value_of("K\x07r\x00\x10\x00\x00j\x00\x10\x00\x00\x86"s), "(7, 7)");
  EXPECT_EQ(value_of("K\x07\x94K\x08\x94"s + "0h\x01\x86"s), "(7, 8)");
  // A list that holds itself is made without harm; making values of it is another matter.
  EXPECT_TRUE(run(protocol_2 + "]q\x00h\x00"s + "a.").ok());
}

TEST(Pickle, MakesTheObjectsOfTorch) {
  EXPECT_EQ(value_of(global("collections", "OrderedDict") + ")RK\x01K\x02s"), "{1: 2}");
  EXPECT_EQ(value_of(global("torch", "Size") + integers({2, 3}) + "\x85R"), "(2, 3)");
  std::string tensor = testing_files::tensor({});
  EXPECT_EQ(value_of(tensor), "a tensor");
  EXPECT_EQ(value_of(global("torch._utils", "_rebuild_parameter") + tensor + "\x88" +
                     global("collections", "OrderedDict") + ")R\x87R"),
            "a tensor");
  // The attribute _metadata of a state dict is dropped.
  EXPECT_EQ(value_of(global("collections", "OrderedDict") + ")R}" + text("_metadata") + "}sb"), "{}");
  // Protocol 4 takes module and name from the stack.
  EXPECT_EQ(value_of(text("collections") + text("OrderedDict") + "\x93)R"), "{}");
}

TEST(Pickle, AcceptsProtocols2To5AndFrames) {
  for (const char* protocol : {"\2", "\3", "\4", "\5"}) {
    EXPECT_TRUE(run("\x80"s + protocol + "\x95" + little_endian(2, 8) + "N.").ok());
  }
  expect_error("\x80\x01N.", StatusCode::kUnsupported, "byte 0: pickle protocol 1; 2 to 5 are read");
  expect_error("\x80\x06N.", StatusCode::kUnsupported, "pickle protocol 6");
  expect_error("N.", StatusCode::kCorrupt, "byte 0: not a pickle of protocol 2 or later");
  expect_error(protocol_2 + protocol_2 + "N.", StatusCode::kCorrupt, "begins with its protocol, once");
  expect_error("", StatusCode::kCorrupt, "byte 0: the pickle is truncated");
}

TEST(HostilePickle, CallsNothing) {
  for (const char* name : {"system", "popen", "_exit"}) {
    expect_error(protocol_2 + global("os", name) + text("echo owned") + "\x85R.", StatusCode::kUnsupported,
                 "byte 2: refuses to call os."s + name + "; a state dict holds only tensors");
  }
  expect_error(protocol_2 + text("posix") + text("system") + "\x93.", StatusCode::kUnsupported,
               "refuses to call posix.system");
  expect_error(protocol_2 + global("__builtin__", "eval") + ".", StatusCode::kUnsupported,
               "__builtin__.eval");
  expect_error(protocol_2 + global("torch", "_utils._rebuild_tensor_v2") + ".", StatusCode::kUnsupported,
               "refuses to call");
  // A hostile name must not write to the terminal, nor fill it.
  expect_error(protocol_2 + global("\x1b[2J", std::string(100000, 'a')) + ".", StatusCode::kUnsupported,
               "refuses to call ?[2J." + std::string(100, 'a') + "...;");
  // Opcodes that construct objects or load extensions: NEWOBJ, NEWOBJ_EX, INST, OBJ, EXT1.
  for (const char* op : {"\x81", "\x92", "i", "o", "\x82"}) {
    expect_error(protocol_2 + op, StatusCode::kUnsupported, "is not one that a checkpoint of tensors needs");
  }
}

TEST(HostilePickle, QuantizedAndComplexTensorsSayWhatTheyAre) {
  expect_error(protocol_2 + global("torch._utils", "_rebuild_qtensor") + ".", StatusCode::kUnsupported,
               "quantized tensors (torch._utils._rebuild_qtensor) are not supported; save the state_dict()");
  expect_error(protocol_2 + global("torch", "QInt8Storage") + ".", StatusCode::kUnsupported,
               "quantized tensors");
  expect_error(protocol_2 + global("torch", "ComplexFloatStorage") + ".", StatusCode::kUnsupported,
               "tensors of torch.ComplexFloatStorage are not supported");
}

TEST(HostilePickle, StackUnderflow) {
  expect_error(protocol_2 + ".", StatusCode::kCorrupt, "the pickle stops with 0 values and 0 marks");
  expect_error(protocol_2 + "NN.", StatusCode::kCorrupt, "the pickle stops with 2 values");
  expect_error(protocol_2 + "N(.", StatusCode::kCorrupt, "stops with 1 values and 1 marks");
  for (const char* op : {"0", "\x85", "\x86", "\x87", "R", "Q", "b", "a", "s", "\x93", "\x94", "q\x01"}) {
    expect_error(protocol_2 + op, StatusCode::kCorrupt, "byte 2: stack underflow");
  }
  for (const char* op : {"t", "l", "d", "e", "u", "1"}) {
    expect_error(protocol_2 + op, StatusCode::kCorrupt, "byte 2: stack underflow: a mark is wanted");
  }
  // A mark hides what is below it.
  expect_error(protocol_2 + "NN(\x86", StatusCode::kCorrupt, "stack underflow: 2 values wanted, 0 there");
  expect_error(protocol_2 + "(K\x01"s + "e", StatusCode::kCorrupt, "stack underflow");
}

TEST(HostilePickle, EveryTruncationIsAnError) {
  std::string whole = testing_files::state_dict_of({});
  ASSERT_TRUE(run(whole).ok());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_error(whole.substr(0, size), StatusCode::kCorrupt, "the pickle is truncated");
  }
}

TEST(HostilePickle, LengthsBeyondTheProgram) {
  expect_error(protocol_2 + "X\xff\xff\xff\xff", StatusCode::kCorrupt,
               "byte 2: the pickle is truncated: 4294967295 bytes wanted, 0 left");
  expect_error(protocol_2 + "\x8d" + std::string(8, '\xff'), StatusCode::kCorrupt,
               "18446744073709551615 bytes wanted");
  expect_error(protocol_2 + "\x95" + std::string(8, '\xff'), StatusCode::kCorrupt,
               "a frame of 18446744073709551615");
  expect_error(protocol_2 + "\x8a\xff" + std::string(255, '\1') + ".", StatusCode::kUnsupported,
               "an integer of 255 bytes; at most 8 are read");
}

TEST(HostilePickle, MemoIndexOutOfRange) {
  expect_error(protocol_2 + "h\x05.", StatusCode::kCorrupt,
               "byte 2: memo index 5 is out of range: nothing was put");
  expect_error(protocol_2 + "Nq\x07h\x05.", StatusCode::kCorrupt, "memo index 5 is out of range");
  expect_error(protocol_2 + "j\xff\xff\xff\xff.", StatusCode::kCorrupt,
               "memo index 4294967295 is out of range");
  expect_error(protocol_2 + "Nr\xff\xff\xff\xff.", StatusCode::kCorrupt,
               "memo index 4294967295 is out of range");
}

TEST(HostilePickle, MillionsOfMarksAndObjects) {
  expect_error(protocol_2 + std::string(5'000'000, '('), StatusCode::kResourceExhausted,
               "the pickle has more than 1000 open marks");
  expect_error(protocol_2 + std::string(5'000'000, ']'), StatusCode::kResourceExhausted,
               "the pickle makes more than 2097152 objects");
  std::string pushes = protocol_2 + "Nq\x01";
  for (int i = 0; i < 2'100'000; ++i) {
    pushes += "h\x01";
  }
  expect_error(pushes, StatusCode::kResourceExhausted, "the pickle's stack holds more than 2097152 values");
  expect_error(std::string(kMaxPickleBytes + 1, 'N'), StatusCode::kResourceExhausted, "at most 67108864");
}

TEST(HostilePickle, WrongKindsOfArguments) {
  std::string rebuild = global("torch._utils", "_rebuild_tensor_v2");
  std::string dict = global("collections", "OrderedDict");
  expect_error(protocol_2 + "NNR.", StatusCode::kCorrupt,
               "a call needs a function and a tuple and got None and None");
  expect_error(protocol_2 + rebuild + ")R.", StatusCode::kCorrupt, "takes 6 or 7 arguments and got 0");
  expect_error(protocol_2 + rebuild + "(NNNNNNtR.", StatusCode::kCorrupt, "got None, None, None and None");
  expect_error(protocol_2 + dict + "N\x85R.", StatusCode::kUnsupported,
               "an OrderedDict is made from arguments");
  expect_error(protocol_2 + global("torch", "FloatStorage") + ")R.", StatusCode::kCorrupt,
               "a storage type is called");
  expect_error(protocol_2 + global("torch._utils", "_rebuild_parameter") + "N\x85R.", StatusCode::kCorrupt,
               "_rebuild_parameter takes a tensor");
  expect_error(protocol_2 + global("torch", "Size") + "]\x85R.", StatusCode::kCorrupt,
               "torch.Size takes a tuple");
  expect_error(protocol_2 + "NQ.", StatusCode::kCorrupt, "a persistent id is not a tuple of five");
  expect_error(protocol_2 + "(NNNNNtQ.", StatusCode::kCorrupt, "a persistent id is not (\"storage\"");
  expect_error(protocol_2 + ")N" + "a.", StatusCode::kCorrupt, "values are appended to a tuple");
  expect_error(protocol_2 + "]NNs.", StatusCode::kCorrupt, "items are set in a list");
  expect_error(protocol_2 + "}(NNNu.", StatusCode::kCorrupt, "an odd number of keys and values");
  expect_error(protocol_2 + "}}b.", StatusCode::kUnsupported, "only those of an OrderedDict are read");
  expect_error(protocol_2 + dict + ")RNb.", StatusCode::kUnsupported, "attributes are set from None");
  expect_error(protocol_2 + "NN\x93.", StatusCode::kCorrupt, "module and name are not strings");
}

TEST(HostilePickle, LazilyNegatedViews) {
  std::string program = protocol_2 + testing_files::tensor({}) + ".";
  std::string metadata = "}" + text("neg") + "\x88s";
  program.replace(program.size() - 3, 3, metadata + "tR.");
  expect_error(program, StatusCode::kUnsupported, "a tensor has metadata (a negated or conjugated view)");
}

}  // namespace
}  // namespace zeropoint::toolchain
