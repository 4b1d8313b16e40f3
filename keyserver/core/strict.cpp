#include "keyserver/core/strict.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string>

#include "sotto/protocol/text.hpp"

namespace sotto::keyserver {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

enum class Kind : std::uint8_t { number, text, bytes, repeated_bytes, message, repeated_message };

struct Message;
struct Field {
    int number = 0;
    Kind kind = Kind::number;
    const Message* message = nullptr;
};
struct Message {
    std::span<const Field> fields;
    bool choice = false;  ///< besides its id, one field alone
};

// wire.proto, as far as a client writes it.
namespace schema {

constexpr std::array credential_fields{Field{1, Kind::bytes}, Field{2, Kind::bytes}};
constexpr Message credential{credential_fields};
constexpr std::array token_fields{Field{1, Kind::bytes}, Field{2, Kind::number}, Field{3, Kind::number}};
constexpr Message token{token_fields};
constexpr std::array register_fields{Field{1, Kind::bytes}, Field{2, Kind::number}, Field{3, Kind::bytes},
                                     Field{4, Kind::text}};
constexpr Message registration{register_fields};
constexpr std::array login_fields{Field{1, Kind::text}, Field{2, Kind::number}, Field{3, Kind::bytes}};
constexpr Message login{login_fields};
constexpr std::array record_fields{Field{1, Kind::bytes}};
constexpr Message publish_record{record_fields};
constexpr std::array prekeys_fields{Field{1, Kind::bytes}, Field{2, Kind::bytes},
                                    Field{3, Kind::repeated_bytes}, Field{4, Kind::repeated_bytes},
                                    Field{5, Kind::number}};
constexpr Message publish_prekeys{prekeys_fields};
constexpr std::array tokens_fields{Field{1, Kind::repeated_message, &token}, Field{2, Kind::number}};
constexpr Message set_tokens{tokens_fields};
constexpr std::array acknowledge_fields{Field{1, Kind::repeated_bytes}};
constexpr Message acknowledge{acknowledge_fields};
constexpr std::array generation_fields{Field{1, Kind::number}};
constexpr Message report_generation{generation_fields};
constexpr std::array fetch_records_fields{Field{1, Kind::text}, Field{2, Kind::message, &credential},
                                          Field{3, Kind::number}};
constexpr Message fetch_records{fetch_records_fields};
constexpr std::array fetch_prekeys_fields{Field{1, Kind::text}, Field{2, Kind::number},
                                          Field{3, Kind::message, &credential}};
constexpr Message fetch_prekeys{fetch_prekeys_fields};
constexpr std::array deliver_fields{Field{1, Kind::text}, Field{2, Kind::number},
                                    Field{3, Kind::message, &credential}, Field{4, Kind::bytes},
                                    Field{5, Kind::bytes}};
constexpr Message deliver{deliver_fields};
constexpr Message ping{};
constexpr std::array post_fields{Field{1, Kind::bytes}, Field{2, Kind::bytes}, Field{3, Kind::bytes}};
constexpr Message presence_post{post_fields};
constexpr std::array posts_fields{Field{1, Kind::repeated_message, &presence_post}};
constexpr Message publish_presence{posts_fields};
constexpr std::array topics_fields{Field{1, Kind::repeated_bytes}};
constexpr Message topic_list{topics_fields};
constexpr std::array request_fields{Field{1, Kind::number},
                                    Field{10, Kind::message, &registration},
                                    Field{11, Kind::message, &login},
                                    Field{12, Kind::message, &publish_record},
                                    Field{13, Kind::message, &publish_prekeys},
                                    Field{14, Kind::message, &set_tokens},
                                    Field{15, Kind::message, &acknowledge},
                                    Field{16, Kind::message, &report_generation},
                                    Field{17, Kind::message, &ping},
                                    Field{20, Kind::message, &fetch_records},
                                    Field{21, Kind::message, &fetch_prekeys},
                                    Field{22, Kind::message, &deliver},
                                    Field{23, Kind::message, &ping},
                                    Field{30, Kind::message, &publish_presence},
                                    Field{31, Kind::message, &topic_list},
                                    Field{32, Kind::message, &topic_list},
                                    Field{33, Kind::message, &topic_list}};
constexpr Message any_request{request_fields, true};

}  // namespace schema

[[nodiscard]] bool repeats(Kind kind) {
    return kind == Kind::repeated_bytes || kind == Kind::repeated_message;
}

[[nodiscard]] bool strict(CodedInputStream& in, const Message& message) {
    std::set<int> seen;
    while (const auto tag = in.ReadTag()) {
        const int number = WireFormatLite::GetTagFieldNumber(tag);
        const auto type = WireFormatLite::GetTagWireType(tag);
        const auto field = std::ranges::find(message.fields, number, &Field::number);
        if (field == message.fields.end()) return false;
        if (!seen.insert(number).second && !repeats(field->kind)) return false;
        if (field->kind == Kind::number) {
            std::uint64_t ignored = 0;
            if (type != WireFormatLite::WIRETYPE_VARINT || !in.ReadVarint64(&ignored)) return false;
            continue;
        }
        std::uint32_t length = 0;
        if (type != WireFormatLite::WIRETYPE_LENGTH_DELIMITED || !in.ReadVarint32(&length)) return false;
        if (field->kind == Kind::text) {
            std::string text;
            if (!in.ReadString(&text, static_cast<int>(length)) || !protocol::valid_utf8(text)) return false;
            continue;
        }
        if (field->message == nullptr) {
            if (!in.Skip(static_cast<int>(length))) return false;
            continue;
        }
        const auto limit = in.PushLimit(static_cast<int>(length));
        if (!strict(in, *field->message) || in.BytesUntilLimit() != 0) return false;
        in.PopLimit(limit);
    }
    return in.ConsumedEntireMessage() && (!message.choice || seen.size() <= 2);
}

}  // namespace

bool only_request_fields(ByteView frame) {
    CodedInputStream in{reinterpret_cast<const std::uint8_t*>(frame.data()), static_cast<int>(frame.size())};
    return strict(in, schema::any_request);
}

}  // namespace sotto::keyserver
