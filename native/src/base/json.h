// A small strict JSON reader (RFC 8259) for headers that come from files: nothing is trusted, so
// depth and the number of values are limited, duplicate keys, bad UTF-8 and trailing text are
// errors. Errors are FORMAT and tell the byte; the caller adds the file's name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mirror {

class Json {
  public:
    enum class Kind { null, boolean, number, string, array, object };
    using Member = std::pair<std::string, Json>;

    static constexpr int max_depth = 32;
    static constexpr int64_t max_values =
        2'000'000;  // some 250,000 tensors; bounds memory to about 250 MB

    static Json parse(std::string_view text);

    Kind kind() const { return kind_; }
    bool is(Kind kind) const { return kind_ == kind; }

    // Each throws FORMAT where the value is of another kind; `what` names it in the message.
    bool boolean(std::string_view what) const;
    double number(std::string_view what) const;
    // A number written without fraction or exponent, 0 <= value <= 2^63 - 1.
    int64_t size(std::string_view what) const;
    const std::string& string(std::string_view what) const;
    const std::vector<Json>& array(std::string_view what) const;
    const std::vector<Member>& object(std::string_view what) const;

    // The member of an object, or null where it has none (or this is no object).
    const Json* find(std::string_view key) const;
    // The member of an object; FORMAT naming `key` where there is none.
    const Json& at(std::string_view key) const;

  private:
    friend class JsonParser;
    void expect(Kind kind, std::string_view what) const;

    Kind kind_ = Kind::null;
    bool is_size_ = false;
    int64_t size_ = 0;
    double number_ = 0;  // also 0 or 1 for a boolean
    std::string string_;
    std::vector<Json> array_;
    std::vector<Member> object_;
};

// `value` as a JSON string literal, quotes included.
std::string json_quote(std::string_view value);

}  // namespace mirror
