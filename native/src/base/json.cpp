// Recursive descent over the text; recursion is bounded by Json::max_depth.
#include "base/json.h"

#include <charconv>
#include <unordered_set>

#include "base/error.h"

namespace mirror {
namespace {

const char* kind_name(Json::Kind kind) {
    constexpr const char* names[] = {"null", "boolean", "number", "string", "array", "object"};
    return names[static_cast<int>(kind)];
}

// Length of the well-formed UTF-8 sequence at the start of `text`, 0 where there is none
// (overlong forms, surrogates and values above U+10FFFF are not well formed).
size_t utf8_length(std::string_view text) {
    auto byte = [&](size_t i) -> unsigned {
        return i < text.size() ? static_cast<uint8_t>(text[i]) : 0u;
    };
    auto tail = [&](size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
        return byte(i) >= low && byte(i) <= high;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        const unsigned low = lead == 0xE0 ? 0xA0 : 0x80, high = lead == 0xED ? 0x9F : 0xBF;
        return tail(1, low, high) && tail(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const unsigned low = lead == 0xF0 ? 0x90 : 0x80, high = lead == 0xF4 ? 0x8F : 0xBF;
        return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

void append_utf8(std::string& out, uint32_t code) {
    auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | code >> 6);
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3F));
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

}  // namespace

class JsonParser {
  public:
    explicit JsonParser(std::string_view text) : text_(text) {}

    Json document() {
        Json root = value(0);
        skip_space();
        if (at_ != text_.size()) error("text after the end of the value");
        return root;
    }

  private:
    [[noreturn]] void error(std::string_view what) const {
        fail(MIRROR_E_FORMAT, "JSON, byte ", at_, ": ", what);
    }

    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    void skip_space() {
        while (at_ < text_.size() &&
               std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
            ++at_;
    }

    bool accept(char c) {
        skip_space();
        if (at_ >= text_.size() || text_[at_] != c) return false;
        ++at_;
        return true;
    }

    void literal(std::string_view word) {
        if (text_.substr(at_, word.size()) != word) error("expected a value");
        at_ += word.size();
    }

    Json value(int depth) {
        if (depth > Json::max_depth) error(text("nested deeper than ", Json::max_depth));
        if (++values_ > Json::max_values) error(text("more than ", Json::max_values, " values"));
        skip_space();
        Json result;
        switch (peek()) {
            case '{':
                object(result, depth);
                break;
            case '[':
                array(result, depth);
                break;
            case '"':
                result.kind_ = Json::Kind::string;
                result.string_ = string();
                break;
            case 't':
                literal("true");
                result.kind_ = Json::Kind::boolean;
                result.number_ = 1;
                break;
            case 'f':
                literal("false");
                result.kind_ = Json::Kind::boolean;
                break;
            case 'n':
                literal("null");
                break;
            default:
                number(result);
        }
        return result;
    }

    void object(Json& result, int depth) {
        result.kind_ = Json::Kind::object;
        ++at_;
        if (accept('}')) return;
        std::unordered_set<std::string> keys;
        do {
            skip_space();
            if (peek() != '"') error("expected a key");
            std::string key = string();
            if (!keys.insert(key).second) error(text("duplicate key ", json_quote(key)));
            if (!accept(':')) error("expected ':'");
            result.object_.emplace_back(std::move(key), value(depth + 1));
        } while (accept(','));
        if (!accept('}')) error("expected ',' or '}'");
    }

    void array(Json& result, int depth) {
        result.kind_ = Json::Kind::array;
        ++at_;
        if (accept(']')) return;
        do result.array_.push_back(value(depth + 1));
        while (accept(','));
        if (!accept(']')) error("expected ',' or ']'");
    }

    void digits() {
        if (peek() < '0' || peek() > '9') error("expected a value");
        while (peek() >= '0' && peek() <= '9') ++at_;
    }

    void number(Json& result) {
        const size_t start = at_;
        bool integer = true;
        if (peek() == '-') ++at_;
        if (peek() == '0')
            ++at_;
        else
            digits();
        if (peek() == '.') {
            integer = false;
            ++at_;
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            integer = false;
            ++at_;
            if (peek() == '+' || peek() == '-') ++at_;
            digits();
        }
        const char* first = text_.data() + start;
        const char* last = text_.data() + at_;
        result.kind_ = Json::Kind::number;
        if (std::from_chars(first, last, result.number_).ec != std::errc{})
            error("number out of range");
        if (integer && *first != '-') {
            const auto [end, status] = std::from_chars(first, last, result.size_);
            result.is_size_ = status == std::errc{} && end == last;
        }
    }

    uint32_t hex4() {
        uint32_t code = 0;
        const char* first = text_.data() + at_;
        if (text_.size() - at_ < 4 || std::from_chars(first, first + 4, code, 16).ptr != first + 4)
            error("expected four hexadecimal digits");
        at_ += 4;
        return code;
    }

    uint32_t escaped_code() {
        uint32_t code = hex4();
        if (code >= 0xDC00 && code <= 0xDFFF) error("lone surrogate");
        if (code >= 0xD800 && code <= 0xDBFF) {
            if (text_.substr(at_, 2) != "\\u") error("lone surrogate");
            at_ += 2;
            const uint32_t low = hex4();
            if (low < 0xDC00 || low > 0xDFFF) error("lone surrogate");
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        return code;
    }

    std::string string() {
        std::string result;
        ++at_;
        for (;;) {
            if (at_ >= text_.size()) error("string without end");
            const char c = text_[at_];
            if (c == '"') break;
            if (static_cast<uint8_t>(c) < 0x20) error("control character in a string");
            if (c != '\\') {
                const size_t length = utf8_length(text_.substr(at_));
                if (length == 0) error("invalid UTF-8");
                result.append(text_.substr(at_, length));
                at_ += length;
                continue;
            }
            ++at_;
            constexpr std::string_view codes = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
            const char escape = peek();
            const size_t found = codes.find(escape);
            if (escape != 'u' && found == std::string_view::npos) error("unknown escape");
            ++at_;
            if (escape == 'u')
                append_utf8(result, escaped_code());
            else
                result.push_back(meanings[found]);
        }
        ++at_;
        return result;
    }

    std::string_view text_;
    size_t at_ = 0;
    int64_t values_ = 0;
};

Json Json::parse(std::string_view text) {
    return JsonParser(text).document();
}

void Json::expect(Kind kind, std::string_view what) const {
    if (kind_ != kind)
        fail(
            MIRROR_E_FORMAT, what, " is a JSON ", kind_name(kind_), ", expected ", kind_name(kind));
}

bool Json::boolean(std::string_view what) const {
    expect(Kind::boolean, what);
    return number_ != 0;
}

double Json::number(std::string_view what) const {
    expect(Kind::number, what);
    return number_;
}

int64_t Json::size(std::string_view what) const {
    expect(Kind::number, what);
    if (!is_size_)
        fail(
            MIRROR_E_FORMAT, what, " is ", number_, ", expected a whole number from 0 to 2^63 - 1");
    return size_;
}

const std::string& Json::string(std::string_view what) const {
    expect(Kind::string, what);
    return string_;
}

const std::vector<Json>& Json::array(std::string_view what) const {
    expect(Kind::array, what);
    return array_;
}

const std::vector<Json::Member>& Json::object(std::string_view what) const {
    expect(Kind::object, what);
    return object_;
}

const Json* Json::find(std::string_view key) const {
    for (const auto& [name, value] : object_)
        if (name == key) return &value;
    return nullptr;
}

const Json& Json::at(std::string_view key) const {
    const Json* value = find(key);
    if (!value) fail(MIRROR_E_FORMAT, "JSON member ", json_quote(key), " is missing");
    return *value;
}

std::string json_quote(std::string_view value) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string result = "\"";
    for (char c : value) {
        const auto byte = static_cast<uint8_t>(c);
        if (c == '"' || c == '\\') {
            result += '\\';
            result += c;
        } else if (byte < 0x20) {
            result += "\\u00";
            result += hex[byte >> 4];
            result += hex[byte & 15];
        } else {
            result += c;
        }
    }
    return result + '"';
}

}  // namespace mirror
