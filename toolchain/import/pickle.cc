#include "import/pickle.h"

#include <fmt/format.h>

#include <bit>

#include "import/pickle_opcodes.h"
#include "import/pickle_stack.h"
#include "import/pickle_torch.h"

namespace zeropoint::toolchain {
namespace {

class Machine {
 public:
  explicit Machine(std::span<const std::byte> program) : program_(program) {}

  Result<Pickle> run() {
    std::size_t start = 0;
    while (true) {
      start = at_;
      Result<std::uint64_t> op = read_unsigned(1);
      Status status = op.ok() ? step(static_cast<PickleOp>(*op), start == 0) : op.status();
      if (!status.ok()) {
        return status.at(fmt::format("byte {}", start));
      }
      if (static_cast<PickleOp>(*op) == PickleOp::kStop) {
        return std::move(pickle_);
      }
    }
  }

 private:
  Status step(PickleOp op, bool is_first);
  Status step_container(PickleOp op);
  Status step_call(PickleOp op);

  // Reading the program.
  Result<std::span<const std::byte>> read(std::uint64_t count) {
    if (count > program_.size() - at_) {
      return Status::corrupt(
          fmt::format("the pickle is truncated: {} bytes wanted, {} left", count, program_.size() - at_));
    }
    at_ += static_cast<std::size_t>(count);
    return program_.subspan(at_ - static_cast<std::size_t>(count), static_cast<std::size_t>(count));
  }
  Result<std::uint64_t> read_unsigned(std::size_t bytes);
  Result<std::string> read_line();
  Status push_string(std::size_t length_bytes);
  Status push_signed(std::uint64_t bytes);
  Status push_float();

  Status push(PickleObject object) {
    ZP_ASSIGN_OR_RETURN(PickleId id, pickle_.add(std::move(object)));
    return stack_.push(id);
  }
  Status push_tuple(std::size_t count);
  Status append(std::span<const PickleId> items);
  Status set_items(std::span<const PickleId> keys_and_values);
  Status push_global(std::string_view module, std::string_view name);
  Status reduce();
  Status build();
  Status stop();
  Status put(std::uint64_t index) {
    ZP_RETURN_IF_ERROR(stack_.need(1));
    return memo_.put(index, stack_.top());
  }

  std::span<const std::byte> program_;
  std::size_t at_ = 0;
  Pickle pickle_;
  PickleStack stack_;
  PickleMemo memo_;
};

Status Machine::step(PickleOp op, bool is_first) {
  if (is_first != (op == PickleOp::kProto)) {
    return Status::corrupt("not a pickle of protocol 2 or later: it begins with its protocol, once");
  }
  std::uint64_t value = 0;
  switch (op) {
    case PickleOp::kProto: {
      ZP_ASSIGN_OR_RETURN(value, read_unsigned(1));
      return value >= 2 && value <= 5
                 ? Status()
                 : Status::unsupported(fmt::format("pickle protocol {}; 2 to 5 are read", value));
    }
    case PickleOp::kFrame: {
      // A frame is a hint for buffering. The opcodes in it are bounded by the program in any case.
      ZP_ASSIGN_OR_RETURN(value, read_unsigned(8));
      return value <= program_.size() - at_
                 ? Status()
                 : Status::corrupt(fmt::format("the pickle is truncated: a frame of {} bytes, {} left", value,
                                               program_.size() - at_));
    }
    case PickleOp::kStop:
      return stop();
    case PickleOp::kNone:
      return push(std::monostate{});
    case PickleOp::kNewTrue:
      return push(true);
    case PickleOp::kNewFalse:
      return push(false);
    case PickleOp::kBinInt1:
    case PickleOp::kBinInt2: {
      ZP_ASSIGN_OR_RETURN(value, read_unsigned(op == PickleOp::kBinInt1 ? 1 : 2));
      return push(static_cast<std::int64_t>(value));
    }
    case PickleOp::kBinInt:
      return push_signed(4);
    case PickleOp::kLong1: {
      ZP_ASSIGN_OR_RETURN(value, read_unsigned(1));
      return push_signed(value);
    }
    case PickleOp::kBinFloat:
      return push_float();
    case PickleOp::kShortBinUnicode:
      return push_string(1);
    case PickleOp::kBinUnicode:
      return push_string(4);
    case PickleOp::kBinUnicode8:
      return push_string(8);
    case PickleOp::kMemoize:
      return put(memo_.size());
    case PickleOp::kBinPut:
    case PickleOp::kLongBinPut: {
      ZP_ASSIGN_OR_RETURN(value, read_unsigned(op == PickleOp::kBinPut ? 1 : 4));
      return put(value);
    }
    case PickleOp::kBinGet:
    case PickleOp::kLongBinGet: {
      ZP_ASSIGN_OR_RETURN(value, read_unsigned(op == PickleOp::kBinGet ? 1 : 4));
      ZP_ASSIGN_OR_RETURN(PickleId id, memo_.get(value));
      return stack_.push(id);
    }
    default:
      return step_container(op);
  }
}

Status Machine::step_container(PickleOp op) {
  switch (op) {
    case PickleOp::kMark:
      return stack_.push_mark();
    case PickleOp::kPop:
      return stack_.pop_one();
    case PickleOp::kPopMark:
      return stack_.pop_to_mark().status();
    case PickleOp::kEmptyTuple:
      return push_tuple(0);
    case PickleOp::kTuple1:
      return push_tuple(1);
    case PickleOp::kTuple2:
      return push_tuple(2);
    case PickleOp::kTuple3:
      return push_tuple(3);
    case PickleOp::kTuple: {
      ZP_ASSIGN_OR_RETURN(std::vector<PickleId> items, stack_.pop_to_mark());
      return push(PickleSequence{std::move(items), true});
    }
    case PickleOp::kEmptyList:
      return push(PickleSequence{{}, false});
    case PickleOp::kList: {
      ZP_ASSIGN_OR_RETURN(std::vector<PickleId> items, stack_.pop_to_mark());
      return push(PickleSequence{std::move(items), false});
    }
    case PickleOp::kAppend: {
      ZP_RETURN_IF_ERROR(stack_.need(2));
      return append(stack_.pop(1));
    }
    case PickleOp::kAppends: {
      ZP_ASSIGN_OR_RETURN(std::vector<PickleId> items, stack_.pop_to_mark());
      return append(items);
    }
    case PickleOp::kEmptyDict:
      return push(PickleDict{{}, false});
    case PickleOp::kDict: {
      ZP_ASSIGN_OR_RETURN(std::vector<PickleId> items, stack_.pop_to_mark());
      ZP_RETURN_IF_ERROR(push(PickleDict{{}, false}));
      return set_items(items);
    }
    case PickleOp::kSetItem: {
      ZP_RETURN_IF_ERROR(stack_.need(3));
      return set_items(stack_.pop(2));
    }
    case PickleOp::kSetItems: {
      ZP_ASSIGN_OR_RETURN(std::vector<PickleId> items, stack_.pop_to_mark());
      return set_items(items);
    }
    default:
      return step_call(op);
  }
}

Status Machine::step_call(PickleOp op) {
  switch (op) {
    case PickleOp::kGlobal: {
      ZP_ASSIGN_OR_RETURN(std::string module, read_line());
      ZP_ASSIGN_OR_RETURN(std::string name, read_line());
      return push_global(module, name);
    }
    case PickleOp::kStackGlobal: {
      ZP_RETURN_IF_ERROR(stack_.need(2));
      std::vector<PickleId> names = stack_.pop(2);
      const auto* module = pickle_.get<std::string>(names[0]);
      const auto* name = pickle_.get<std::string>(names[1]);
      if (module == nullptr || name == nullptr) {
        return Status::corrupt("a global's module and name are not strings");
      }
      return push_global(*module, *name);
    }
    case PickleOp::kReduce:
      return reduce();
    case PickleOp::kBinPersId: {
      ZP_RETURN_IF_ERROR(stack_.need(1));
      ZP_ASSIGN_OR_RETURN(PickleId storage, find_storage(pickle_, stack_.pop(1)[0]));
      return stack_.push(storage);
    }
    case PickleOp::kBuild:
      return build();
    default:
      return Status::unsupported(
          fmt::format("opcode 0x{:02x} is not one that a checkpoint of tensors needs", static_cast<int>(op)));
  }
}

Result<std::uint64_t> Machine::read_unsigned(std::size_t bytes) {
  ZP_ASSIGN_OR_RETURN(std::span<const std::byte> digits, read(bytes));
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value |= std::to_integer<std::uint64_t>(digits[i]) << (8 * i);
  }
  return value;
}

Result<std::string> Machine::read_line() {
  std::string line;
  while (true) {
    ZP_ASSIGN_OR_RETURN(std::uint64_t c, read_unsigned(1));
    if (c == '\n') {
      return line;
    }
    line += static_cast<char>(c);
  }
}

Status Machine::push_string(std::size_t length_bytes) {
  ZP_ASSIGN_OR_RETURN(std::uint64_t length, read_unsigned(length_bytes));
  ZP_ASSIGN_OR_RETURN(std::span<const std::byte> text, read(length));
  return push(std::string(reinterpret_cast<const char*>(text.data()), text.size()));
}

/// Two's complement of any length, as LONG1 has it; no bytes are zero.
Status Machine::push_signed(std::uint64_t bytes) {
  if (bytes > 8) {
    return Status::unsupported(fmt::format("an integer of {} bytes; at most 8 are read", bytes));
  }
  if (bytes == 0) {
    return push(std::int64_t{0});
  }
  ZP_ASSIGN_OR_RETURN(std::uint64_t value, read_unsigned(static_cast<std::size_t>(bytes)));
  std::uint64_t unused_bits = 64 - 8 * bytes;
  return push(static_cast<std::int64_t>(value << unused_bits) >> unused_bits);
}

/// The one big-endian number of the format.
Status Machine::push_float() {
  ZP_ASSIGN_OR_RETURN(std::uint64_t bits, read_unsigned(8));
  return push(std::bit_cast<double>(__builtin_bswap64(bits)));
}

Status Machine::push_tuple(std::size_t count) {
  ZP_RETURN_IF_ERROR(stack_.need(count));
  return push(PickleSequence{stack_.pop(count), true});
}

Status Machine::append(std::span<const PickleId> items) {
  ZP_RETURN_IF_ERROR(stack_.need(1));
  auto* list = std::get_if<PickleSequence>(&pickle_.objects[stack_.top()]);
  if (list == nullptr || list->is_tuple) {
    return Status::corrupt(fmt::format("values are appended to {}", kind_of(pickle_.objects[stack_.top()])));
  }
  list->items.insert(list->items.end(), items.begin(), items.end());
  return {};
}

Status Machine::set_items(std::span<const PickleId> keys_and_values) {
  ZP_RETURN_IF_ERROR(stack_.need(1));
  auto* dict = std::get_if<PickleDict>(&pickle_.objects[stack_.top()]);
  if (dict == nullptr) {
    return Status::corrupt(fmt::format("items are set in {}", kind_of(pickle_.objects[stack_.top()])));
  }
  if (keys_and_values.size() % 2 != 0) {
    return Status::corrupt("items are set from an odd number of keys and values");
  }
  for (std::size_t i = 0; i < keys_and_values.size(); i += 2) {
    dict->entries.emplace_back(keys_and_values[i], keys_and_values[i + 1]);
  }
  return {};
}

Status Machine::push_global(std::string_view module, std::string_view name) {
  ZP_ASSIGN_OR_RETURN(PickleGlobal global, find_global(module, name));
  return push(global);
}

Status Machine::reduce() {
  ZP_RETURN_IF_ERROR(stack_.need(2));
  std::vector<PickleId> call = stack_.pop(2);
  ZP_ASSIGN_OR_RETURN(PickleId result, call_global(pickle_, call[0], call[1]));
  return stack_.push(result);
}

/// Python sets attributes here. A state dict has one, `_metadata`: version numbers of modules, dropped.
Status Machine::build() {
  ZP_RETURN_IF_ERROR(stack_.need(2));
  std::vector<PickleId> state = stack_.pop(1);
  const auto* dict = pickle_.get<PickleDict>(stack_.top());
  if (dict == nullptr || !dict->is_ordered_dict || pickle_.get<PickleDict>(state[0]) == nullptr) {
    return Status::unsupported(
        fmt::format("attributes are set from {} on {}; only those of an OrderedDict "
                    "are read",
                    kind_of(pickle_.objects[state[0]]), kind_of(pickle_.objects[stack_.top()])));
  }
  return {};
}

Status Machine::stop() {
  if (stack_.size() != 1 || stack_.marks() != 0) {
    return Status::corrupt(
        fmt::format("the pickle stops with {} values and {} marks on its stack; 1 and 0 "
                    "are right",
                    stack_.size(), stack_.marks()));
  }
  pickle_.root = stack_.top();
  return {};
}

}  // namespace

std::string_view kind_of(const PickleObject& object) {
  switch (object.index()) {
    case 0:
      return "None";
    case 1:
      return "a bool";
    case 2:
      return "an integer";
    case 3:
      return "a float";
    case 4:
      return "a string";
    case 5:
      return "a function";
    case 6:
      return "a storage";
    case 7:
      return "a tensor";
    case 8:
      return std::get<PickleSequence>(object).is_tuple ? "a tuple" : "a list";
    default:
      return "a dictionary";
  }
}

Result<PickleId> Pickle::add(PickleObject object) {
  if (objects.size() == kMaxPickleObjects) {
    return Status::resource_exhausted(
        fmt::format("the pickle makes more than {} objects", kMaxPickleObjects));
  }
  objects.push_back(std::move(object));
  return static_cast<PickleId>(objects.size() - 1);
}

Result<Pickle> run_pickle(std::span<const std::byte> program) {
  if (program.size() > kMaxPickleBytes) {
    return Status::resource_exhausted(
        fmt::format("{} bytes of pickle; at most {} are read", program.size(), kMaxPickleBytes));
  }
  return Machine(program).run();
}

}  // namespace zeropoint::toolchain
