#include "tests/reports/markup.h"

#include <set>

#include "harness/base/error.h"

namespace tailmark {
namespace {

const std::set<std::string, std::less<>> kVoid = {"meta", "br",  "wbr", "input",
                                                  "link", "img", "hr"};
/// Attributes that may stand without a value.
const std::set<std::string, std::less<>> kBare = {"checked", "open"};

class Reader {
 public:
  Reader(std::string_view text, std::vector<Element>* elements)
      : text_(text), elements_(elements) {}

  std::string Run() {
    while (wrong_.empty() && at_ < text_.size()) {
      if (text_[at_] == '<') {
        Tag();
      } else {
        Text();
      }
    }
    if (wrong_.empty() && !open_.empty())
      Fail(StrCat("<", open_.back(), "> is not closed"));
    return wrong_;
  }

 private:
  bool Starts(std::string_view what) const {
    return text_.substr(at_).starts_with(what);
  }
  void Fail(const std::string& what) {
    wrong_ = StrCat(what, " near '", text_.substr(at_ < 60 ? 0 : at_ - 60, 120),
                    "'");
  }

  /// A reference such as &amp; or &#39; begins here.
  bool IsReference(std::size_t at) const {
    const auto end = text_.find(';', at);
    if (end == text_.npos || end - at > 8 || end == at + 1) return false;
    for (std::size_t i = at + 1; i < end; ++i) {
      const char c = text_[i];
      if (!(c == '#' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
            (c >= 'A' && c <= 'Z')))
        return false;
    }
    return true;
  }

  void Text() {
    for (; at_ < text_.size() && text_[at_] != '<'; ++at_) {
      if (text_[at_] == '>') return Fail("bare >");
      if (text_[at_] == '&' && !IsReference(at_)) return Fail("bare &");
    }
  }

  std::string Name() {
    const auto start = at_;
    while (at_ < text_.size() &&
           std::string_view(" \n/>=\"'<&").find(text_[at_]) ==
               std::string_view::npos)
      ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  void SkipBlanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n'))
      ++at_;
  }

  void Tag() {
    if (Starts("<!doctype html>")) {
      at_ += 15;
    } else if (Starts("</")) {
      at_ += 2;
      const std::string name = Name();
      if (open_.empty() || open_.back() != name)
        return Fail(StrCat("</", name, "> closes nothing"));
      open_.pop_back();
      if (!Starts(">")) return Fail("no > after a closing tag");
      ++at_;
    } else {
      ++at_;
      Open();
    }
  }

  void Open() {
    Element element{Name(), {}};
    if (element.name.empty()) return Fail("bare <");
    for (SkipBlanks(); wrong_.empty() && !Starts(">") && !Starts("/>");
         SkipBlanks())
      Attribute(element);
    if (!wrong_.empty()) return;
    const bool closed = Starts("/>");
    at_ += closed ? 2 : 1;
    elements_->push_back(element);
    if (closed || kVoid.contains(element.name)) return;
    open_.push_back(element.name);
    if (element.name == "script" || element.name == "style") {
      const auto end = text_.find(StrCat("</", element.name, ">"), at_);
      if (end == text_.npos) return Fail("open script or style");
      at_ = end;
    }
  }

  void Attribute(Element& element) {
    const std::string name = Name();
    if (name.empty()) return Fail("no attribute name");
    if (!Starts("=\"")) {
      if (!kBare.contains(name))
        return Fail(StrCat("attribute ", name, " without a quoted value"));
      element.attributes[name];
      return;
    }
    at_ += 2;
    const auto end = text_.find('"', at_);
    if (end == text_.npos) return Fail("open attribute");
    for (std::size_t i = at_; i < end; ++i) {
      if (text_[i] == '<' || (text_[i] == '&' && !IsReference(i)))
        return Fail("bare < or & in an attribute");
    }
    if (!element.attributes.emplace(name, text_.substr(at_, end - at_)).second)
      return Fail(StrCat("two ", name));
    at_ = end + 1;
  }

  std::string_view text_;
  std::vector<Element>* elements_;
  std::size_t at_ = 0;
  std::vector<std::string> open_;
  std::string wrong_;
};

}  // namespace

std::string CheckMarkup(std::string_view text, std::vector<Element>* elements) {
  return Reader(text, elements).Run();
}

}  // namespace tailmark
