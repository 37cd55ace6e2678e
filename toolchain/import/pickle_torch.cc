#include "import/pickle_torch.h"

#include <fmt/format.h>

#include "import/printable.h"
#include "import/torch_storages.h"

namespace zeropoint::toolchain {
namespace {

using Kind = PickleGlobal::Kind;

struct AllowedFunction {
  std::string_view module;
  std::string_view name;
  Kind kind;
};

constexpr AllowedFunction kAllowedFunctions[] = {
    {"collections", "OrderedDict", Kind::kOrderedDict},
    {"torch._utils", "_rebuild_tensor_v2", Kind::kRebuildTensor},
    {"torch._utils", "_rebuild_parameter", Kind::kRebuildParameter},
    {"torch", "Size", Kind::kSize},
};

Status refuse(std::string_view module, std::string_view name) {
  std::string global = printable(module) + "." + printable(name);
  if (name == "_rebuild_qtensor" || name.starts_with("QInt") || name.starts_with("QUInt")) {
    return Status::unsupported(fmt::format(
        "quantized tensors ({}) are not supported; save the state_dict() of the float model", global));
  }
  if (module == "torch" && name.ends_with("Storage")) {
    return Status::unsupported(
        fmt::format("tensors of {} are not supported; convert them to float, integer or bool", global));
  }
  return Status::unsupported(fmt::format(
      "refuses to call {}; a state dict holds only tensors, numbers, strings, lists and dictionaries: save "
      "model.state_dict() rather than the model or other objects",
      global));
}

/// torch passes an OrderedDict of hooks and, since 2.0, metadata that are None or empty unless the tensor is
/// a lazily negated or conjugated view.
bool is_absent(const Pickle& pickle, PickleId id) {
  const auto* dict = pickle.get<PickleDict>(id);
  return pickle.get<std::monostate>(id) != nullptr || (dict != nullptr && dict->entries.empty());
}

Result<PickleId> rebuild_tensor(Pickle& pickle, const std::vector<PickleId>& arguments) {
  if (arguments.size() != 6 && arguments.size() != 7) {
    return Status::corrupt(
        fmt::format("_rebuild_tensor_v2 takes 6 or 7 arguments and got {}", arguments.size()));
  }
  const auto* offset = pickle.get<std::int64_t>(arguments[1]);
  const auto* shape = pickle.get<PickleSequence>(arguments[2]);
  const auto* strides = pickle.get<PickleSequence>(arguments[3]);
  // Tuples only: a list could still change after this check.
  if (pickle.get<PickleStorage>(arguments[0]) == nullptr || offset == nullptr || shape == nullptr ||
      !shape->is_tuple || strides == nullptr || !strides->is_tuple) {
    return Status::corrupt(
        fmt::format("_rebuild_tensor_v2 takes a storage, an integer and two tuples and got {}, {}, {} and {}",
                    kind_of(pickle.objects[arguments[0]]), kind_of(pickle.objects[arguments[1]]),
                    kind_of(pickle.objects[arguments[2]]), kind_of(pickle.objects[arguments[3]])));
  }
  if (arguments.size() == 7 && !is_absent(pickle, arguments[6])) {
    return Status::unsupported("a tensor has metadata (a negated or conjugated view); save tensor.clone()");
  }
  return pickle.add(PickleTensor{arguments[0], arguments[2], arguments[3], *offset});
}

}  // namespace

Result<PickleGlobal> find_global(std::string_view module, std::string_view name) {
  for (const AllowedFunction& allowed : kAllowedFunctions) {
    if (module == allowed.module && name == allowed.name) {
      return PickleGlobal{allowed.kind};
    }
  }
  for (const TorchStorage& storage : kTorchStorages) {
    if (module == "torch" && name == storage.name) {
      return PickleGlobal{Kind::kStorage, storage.type};
    }
  }
  return refuse(module, name);
}

Result<PickleId> call_global(Pickle& pickle, PickleId function, PickleId arguments) {
  const auto* global = pickle.get<PickleGlobal>(function);
  const auto* tuple = pickle.get<PickleSequence>(arguments);
  if (global == nullptr || tuple == nullptr || !tuple->is_tuple) {
    return Status::corrupt(fmt::format("a call needs a function and a tuple and got {} and {}",
                                       kind_of(pickle.objects[function]),
                                       kind_of(pickle.objects[arguments])));
  }
  const std::vector<PickleId>& items = tuple->items;
  switch (global->kind) {
    case Kind::kOrderedDict:
      if (!items.empty()) {
        return Status::unsupported("an OrderedDict is made from arguments; only empty ones are read");
      }
      return pickle.add(PickleDict{{}, true});
    case Kind::kRebuildTensor:
      return rebuild_tensor(pickle, items);
    case Kind::kRebuildParameter:
      if (items.empty() || pickle.get<PickleTensor>(items[0]) == nullptr) {
        return Status::corrupt("_rebuild_parameter takes a tensor");
      }
      return items[0];
    case Kind::kSize: {
      const auto* sizes = items.size() == 1 ? pickle.get<PickleSequence>(items[0]) : nullptr;
      if (sizes == nullptr || !sizes->is_tuple) {
        return Status::corrupt("torch.Size takes a tuple");
      }
      return items[0];
    }
    case Kind::kStorage:
      break;
  }
  return Status::corrupt("a storage type is called; storages come from records of the archive");
}

Result<PickleId> find_storage(Pickle& pickle, PickleId persistent_id) {
  const auto* tuple = pickle.get<PickleSequence>(persistent_id);
  if (tuple == nullptr || tuple->items.size() != 5) {
    return Status::corrupt("a persistent id is not a tuple of five");
  }
  const std::vector<PickleId>& items = tuple->items;
  const auto* tag = pickle.get<std::string>(items[0]);
  const auto* type = pickle.get<PickleGlobal>(items[1]);
  const auto* size = pickle.get<std::int64_t>(items[4]);
  if (tag == nullptr || *tag != "storage" || type == nullptr || type->kind != Kind::kStorage ||
      pickle.get<std::string>(items[2]) == nullptr || size == nullptr) {
    return Status::corrupt("a persistent id is not (\"storage\", type, key, location, size)");
  }
  return pickle.add(PickleStorage{type->type, items[2], *size});
}

}  // namespace zeropoint::toolchain
