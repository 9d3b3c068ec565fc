/* As much of JSON as checkpoints' headers need: objects, arrays, strings without unicode escapes, numbers, true, false, null. */
#pragma once
#include <cctype>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

struct Json {
    std::map<std::string, Json> members; /* of an object */
    std::vector<Json> items;             /* of an array */
    std::string text;                    /* of a string; true, false or null */
    double number = 0;

    bool has(const std::string &name) const { return members.count(name) > 0 && members.at(name).text != "null"; }
    const Json &at(const std::string &name) const {
        if (members.count(name) == 0) throw std::runtime_error("no member " + name);
        return members.at(name);
    }
    double number_or(const std::string &name, double otherwise) const { return has(name) ? at(name).number : otherwise; }
};

class JsonReader {
  public:
    static Json read(const std::string &from) { JsonReader reader(from); return reader.value(); }

  private:
    explicit JsonReader(const std::string &from) : at(from.c_str()) {}
    const char *at;

    char next() { while (std::isspace(static_cast<unsigned char>(*at))) at++; return *at; }
    void expect(char c) {
        if (next() != c) throw std::runtime_error(std::string("JSON: no ") + c + " before: " + std::string(at).substr(0, 20));
        at++;
    }
    bool more(char end) {
        if (next() == ',') { at++; return true; }
        expect(end);
        return false;
    }
    std::string string() {
        expect('"');
        std::string result;
        for (; *at && *at != '"'; at++) result += *at == '\\' ? *++at : *at;
        expect('"');
        return result;
    }
    Json value() {
        Json result;
        char c = next();
        if (c == '{') {
            at++;
            if (next() == '}') { at++; return result; }
            do { std::string name = string(); expect(':'); result.members[name] = value(); } while (more('}'));
        } else if (c == '[') {
            at++;
            if (next() == ']') { at++; return result; }
            do result.items.push_back(value()); while (more(']'));
        } else if (c == '"') {
            result.text = string();
        } else if (std::isalpha(static_cast<unsigned char>(c))) {
            while (std::isalpha(static_cast<unsigned char>(*at))) result.text += *at++;
        } else {
            char *end;
            result.number = std::strtod(at, &end);
            if (end == at) throw std::runtime_error("JSON: not a value: " + std::string(at).substr(0, 20));
            at = end;
        }
        return result;
    }
};
