#include "harness/base/torch_pickle.h"

#include <cstring>
#include <deque>

#include "harness/base/error.h"

namespace tailmark::pickle {
namespace {

// Bounds against files made to exhaust memory or stack.
constexpr std::size_t kMostSteps = 1 << 20;
constexpr std::size_t kMostMemo = 1 << 20;
constexpr std::size_t kMostDimensions = 16;
constexpr std::size_t kMostCopies = 4;  // of the whole archive

struct StorageName {
  std::string_view name;
  DType dtype;
};
constexpr StorageName kStorages[] = {
    {"torch BoolStorage", DType::kBool},
    {"torch ByteStorage", DType::kUint8},
    {"torch IntStorage", DType::kInt32},
    {"torch LongStorage", DType::kInt64},
    {"torch HalfStorage", DType::kFloat16},
    {"torch BFloat16Storage", DType::kBfloat16},
    {"torch FloatStorage", DType::kFloat32},
    {"torch DoubleStorage", DType::kFloat64},
};

class Machine {
 public:
  /// `total`: bytes of the archive.
  Machine(std::span<const std::byte> program, const Members& members,
          std::size_t total, std::string prefix, std::string_view name)
      : program_(program),
        members_(members),
        total_(total),
        prefix_(std::move(prefix)),
        name_(name) {}

  Ref Run() {
    for (;;) {
      const std::size_t at = at_;
      const auto code = Take<std::uint8_t>();
      if (code == '.') return Pop();
      if (!Step(code)) {
        Fail(StrCat("instruction ", int{code}, " at byte ", at,
                    " is not one that weights need"));
      }
      if (++steps_ > kMostSteps) Fail("is too long");
    }
  }

  std::vector<std::shared_ptr<const std::string>> copies() {
    return std::move(copies_);
  }

 private:
  [[noreturn]] void Fail(std::string_view what) const {
    throw DataError(StrCat(name_, ": data.pkl ", what));
  }
  template <class T>
  T Take() {
    T value;
    std::memcpy(&value, Bytes(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string_view Bytes(std::size_t count) {
    if (program_.size() - at_ < count) Fail("ends too early");
    const auto* from = reinterpret_cast<const char*>(program_.data()) + at_;
    at_ += count;
    return {from, count};
  }
  std::string Line() {
    const auto* from = reinterpret_cast<const char*>(program_.data()) + at_;
    const std::string_view rest(from, program_.size() - at_);
    const std::size_t end = rest.find('\n');
    if (end == rest.npos) Fail("ends too early");
    at_ += end + 1;
    return std::string(rest.substr(0, end));
  }

  template <class T>
  void Push(T value) {
    stack_.push_back(&store_.emplace_back(Value{std::move(value)}));
  }
  Ref Pop() {
    if (stack_.empty()) Fail("takes from an empty stack");
    const Ref top = stack_.back();
    stack_.pop_back();
    return top;
  }
  /// What was pushed since the last mark, which goes too.
  List PopMark() {
    for (std::size_t i = stack_.size(); i-- > 0;) {
      if (!std::holds_alternative<Mark>(stack_[i]->it)) continue;
      List items(stack_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                 stack_.end());
      stack_.resize(i);
      return items;
    }
    Fail("has no mark where one is needed");
  }
  template <class T>
  T& As(Ref value, std::string_view what) const {
    T* found = std::get_if<T>(&value->it);
    if (found == nullptr) Fail(StrCat("has no ", what, " where one is needed"));
    return *found;
  }

  void Put(std::size_t index) {
    if (index > kMostMemo) Fail("remembers too much");
    if (stack_.empty()) Fail("takes from an empty stack");
    if (memo_.size() <= index) memo_.resize(index + 1);
    memo_[index] = stack_.back();
  }
  void Get(std::size_t index) {
    if (index >= memo_.size() || memo_[index] == nullptr) {
      Fail("recalls what it never kept");
    }
    stack_.push_back(memo_[index]);
  }

  bool Step(std::uint8_t code) { return Scalar(code) || Structure(code); }

  bool Scalar(std::uint8_t code) {
    switch (code) {
      case 0x80:
        if (Take<std::uint8_t>() > 2) Fail("has a protocol above 2");
        return true;
      case 'N':
        Push(None{});
        return true;
      case 0x88:
        Push(true);
        return true;
      case 0x89:
        Push(false);
        return true;
      case 'K':
        Push(std::int64_t{Take<std::uint8_t>()});
        return true;
      case 'M':
        Push(std::int64_t{Take<std::uint16_t>()});
        return true;
      case 'J':
        Push(std::int64_t{Take<std::int32_t>()});
        return true;
      case 0x8A:
        Push(Long(Take<std::uint8_t>()));
        return true;
      case 'X':
        Push(std::string(Bytes(Take<std::uint32_t>())));
        return true;
      case 'U':
        Push(std::string(Bytes(Take<std::uint8_t>())));
        return true;
      case 'c': {
        std::string module = Line();
        Push(Global{StrCat(module, " ", Line())});
        return true;
      }
      case 'q':
        Put(Take<std::uint8_t>());
        return true;
      case 'r':
        Put(Take<std::uint32_t>());
        return true;
      case 'h':
        Get(Take<std::uint8_t>());
        return true;
      case 'j':
        Get(Take<std::uint32_t>());
        return true;
      default:
        return false;
    }
  }

  std::int64_t Long(std::size_t length) {
    const auto bytes = Bytes(length);
    if (length > sizeof(std::int64_t)) Fail("has a number of over 64 bits");
    std::uint64_t value = 0;
    for (std::size_t i = length; i-- > 0;) {
      value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    if (length > 0 && length < 8 && (bytes.back() & 0x80) != 0) {
      value |= ~std::uint64_t{0} << (8 * length);
    }
    return static_cast<std::int64_t>(value);
  }

  bool Structure(std::uint8_t code) {
    switch (code) {
      case '(':
        Push(Mark{});
        return true;
      case ')':
      case ']':
        Push(List{});
        return true;
      case '}':
        Push(Dict{});
        return true;
      case 't':
      case 'l':
        Push(PopMark());
        return true;
      case 0x85:
        PushTuple(1);
        return true;
      case 0x86:
        PushTuple(2);
        return true;
      case 0x87:
        PushTuple(3);
        return true;
      case 'a': {
        const Ref item = Pop();
        As<List>(Top(), "list").push_back(item);
        return true;
      }
      case 'e': {
        const List items = PopMark();
        auto& list = As<List>(Top(), "list");
        list.insert(list.end(), items.begin(), items.end());
        return true;
      }
      case 's': {
        const Ref value = Pop();
        const Ref key = Pop();
        SetItems({key, value});
        return true;
      }
      case 'u':
        SetItems(PopMark());
        return true;
      case 'Q':
        PushStorage(Pop());
        return true;
      case 'R':
        Call();
        return true;
      case 0x81: {  // an object: of which class is nobody's business
        Pop();
        (void)As<Global>(Pop(), "class");
        Push(Object{});
        return true;
      }
      case 'b': {
        const Ref state = Pop();
        if (std::holds_alternative<Object>(Top()->it)) {
          std::get<Object>(Top()->it).state = state;
        }  // what a dictionary is given besides its items is of no use
        return true;
      }
      default:
        return false;
    }
  }

  Ref Top() const {
    if (stack_.empty()) Fail("takes from an empty stack");
    return stack_.back();
  }

  void PushTuple(std::size_t count) {
    List items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = Pop();
    Push(std::move(items));
  }

  void SetItems(const List& items) {
    if (items.size() % 2 != 0) Fail("has a key without a value");
    auto& dict = As<Dict>(Top(), "dictionary");
    for (std::size_t i = 0; i < items.size(); i += 2) {
      dict.items.emplace_back(items[i], items[i + 1]);
    }
  }

  /// ("storage", type, key, place, elements).
  void PushStorage(Ref id) {
    const auto& parts = As<List>(id, "storage");
    if (parts.size() != 5) Fail("has a storage of another form");
    const auto& type = As<Global>(parts[1], "storage type").name;
    const auto& key = As<std::string>(parts[2], "storage key");
    const auto count = As<std::int64_t>(parts[4], "storage size");
    for (const StorageName& known : kStorages) {
      if (known.name != type) continue;
      const auto member = members_.find(StrCat(prefix_, "data/", key));
      if (member == members_.end()) {
        Fail(StrCat("names storage '", key, "', which is not in the archive"));
      }
      const std::size_t have = member->second.size() / SizeOf(known.dtype);
      if (count < 0 || static_cast<std::uint64_t>(count) > have) {
        Fail(StrCat("says storage '", key, "' has ", count,
                    " elements, but the archive has ", have));
      }
      Push(Storage{known.dtype, member->second});
      return;
    }
    Fail(StrCat("has storage of type '", type, "'"));
  }

  void Call() {
    const Ref arguments = Pop();
    const auto function = As<Global>(Pop(), "function").name;
    if (function == "collections OrderedDict") {
      Push(Dict{});
    } else if (function == "torch._utils _rebuild_tensor_v2") {
      Push(Tensor(As<List>(arguments, "arguments")));
    } else if (function == "torch._utils _rebuild_parameter") {
      const auto& parts = As<List>(arguments, "arguments");
      if (parts.empty()) Fail("has a parameter of another form");
      stack_.push_back(parts[0]);
    } else {
      Fail(StrCat("calls '", function, "', which weights have no need of"));
    }
  }

  std::vector<std::int64_t> Numbers(Ref value) const {
    // The length first: a program may use one long list a million times.
    const auto& list = As<List>(value, "shape");
    if (list.size() > kMostDimensions) {
      Fail(StrCat("has a shape of ", list.size(), " dimensions; at most ",
                  kMostDimensions, " are read"));
    }
    std::vector<std::int64_t> numbers;
    for (const Ref each : list) {
      numbers.push_back(As<std::int64_t>(each, "number"));
      if (numbers.back() < 0) Fail("has a negative size");
    }
    return numbers;
  }

  /// (storage, offset, shape, strides, ...), copied when it is not dense.
  TensorView Tensor(const List& parts) {
    if (parts.size() < 4) Fail("has a tensor of another form");
    const auto& storage = As<Storage>(parts[0], "storage");
    const auto offset = As<std::int64_t>(parts[1], "offset");
    TensorView view{
        .dtype = storage.dtype, .shape = Numbers(parts[2]), .bytes = {}};
    const auto strides = Numbers(parts[3]);
    const auto width = SizeOf(view.dtype);
    const auto have = static_cast<std::int64_t>(storage.bytes.size() / width);
    if (strides.size() != view.shape.size() || offset < 0 || offset > have) {
      Fail("has a tensor of another form");
    }
    std::int64_t last = offset;
    std::int64_t count = 1;
    bool dense = true;
    for (std::size_t i = view.shape.size(); i-- > 0;) {
      const std::int64_t side = view.shape[i];
      if (side > 1) dense = dense && strides[i] == count;
      if (side != 0 && count > have / side) Fail("has a tensor too large");
      count *= side;
      if (side > 1 && strides[i] > (have - last) / (side - 1)) {
        Fail("has a tensor that is not inside its storage");
      }
      last += side > 1 ? strides[i] * (side - 1) : 0;
    }
    if (count > 0 && last >= have) {
      Fail("has a tensor that is not inside its storage");
    }
    const auto size = static_cast<std::size_t>(count) * width;
    const auto begin = static_cast<std::size_t>(offset) * width;
    view.bytes = dense ? storage.bytes.subspan(begin, size)
                       : Densely(storage, view.shape, strides, begin, size);
    return view;
  }

  std::span<const std::byte> Densely(const Storage& storage,
                                     const std::vector<std::int64_t>& shape,
                                     const std::vector<std::int64_t>& strides,
                                     std::size_t begin, std::size_t size) {
    copied_ += size;
    if (copied_ / kMostCopies > total_) Fail("repeats its storages too often");
    const auto width = SizeOf(storage.dtype);
    auto copy = std::make_shared<std::string>();
    copy->reserve(size);
    std::vector<std::int64_t> index(shape.size(), 0);
    while (copy->size() < size) {
      std::size_t at = begin;
      for (std::size_t i = 0; i < shape.size(); ++i) {
        at += static_cast<std::size_t>(index[i] * strides[i]) * width;
      }
      copy->append(reinterpret_cast<const char*>(storage.bytes.data()) + at,
                   width);
      for (std::size_t i = shape.size(); i-- > 0;) {
        if (++index[i] < shape[i]) break;
        index[i] = 0;
      }
    }
    copies_.push_back(copy);
    return std::as_bytes(std::span(*copy));
  }

  std::span<const std::byte> program_;
  const Members& members_;
  std::size_t total_;
  std::string prefix_;
  std::string_view name_;
  std::size_t at_ = 0;
  std::size_t steps_ = 0;
  std::size_t copied_ = 0;
  std::vector<std::shared_ptr<const std::string>> copies_;
  std::deque<Value> store_;
  std::vector<Ref> stack_;
  std::vector<Ref> memo_;
};

}  // namespace

Result Run(std::span<const std::byte> program, const Members& members,
           std::string prefix, std::size_t archive_bytes,
           std::string_view name) {
  const auto machine = std::make_shared<Machine>(
      program, members, archive_bytes, std::move(prefix), name);
  Result result;
  result.root = machine->Run();
  result.copies = machine->copies();
  result.values = machine;
  return result;
}

}  // namespace tailmark::pickle
