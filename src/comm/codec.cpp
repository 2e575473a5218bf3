// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/comm/codec.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <cstring>
#include <streambuf>
#include <utility>

#include "message_serialization.hpp"

namespace lhsm::comm {

namespace {

constexpr std::uint32_t k_magic = 0x4d53484c;  // "LHSM"
constexpr auto k_archive_flags =
    boost::archive::no_header | boost::archive::no_codecvt | boost::archive::no_xml_tag_checking;

struct FrameHeader {
  std::uint32_t magic;
  std::uint32_t protocol;
  std::uint64_t payload_bytes;
  std::uint64_t checksum;
};
static_assert(sizeof(FrameHeader) == 24);

/// Appends to a vector of bytes, past the room left for the header.
class AppendBuffer final : public std::streambuf {
 public:
  explicit AppendBuffer(Bytes& out) : m_out(out) {}

 protected:
  std::streamsize xsputn(const char* data, std::streamsize size) override {
    const auto* const bytes = reinterpret_cast<const std::byte*>(data);
    m_out.insert(m_out.end(), bytes, bytes + size);
    return size;
  }
  int_type overflow(int_type c) override {
    if (!traits_type::eq_int_type(c, traits_type::eof())) m_out.push_back(static_cast<std::byte>(c));
    return traits_type::not_eof(c);
  }

 private:
  Bytes& m_out;
};

class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::span<const std::byte> bytes) {
    // streambuf wants mutable pointers; a get area is never written to.
    char* const begin = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
    setg(begin, begin, begin + bytes.size());
  }
  [[nodiscard]] bool exhausted() const { return gptr() == egptr(); }
};

template <std::size_t... I>
Message make_alternative(std::size_t index, std::index_sequence<I...>) {
  Message message;
  static_cast<void>(((I == index ? (message.emplace<I>(), true) : false) || ...));
  return message;
}

Failure bad(std::string_view what) { return failure(ErrorKind::corrupt, EBADMSG, "decode message:", what); }

}  // namespace

Bytes encode(const Message& message) {
  Bytes frame(sizeof(FrameHeader));
  {
    AppendBuffer buffer(frame);
    boost::archive::binary_oarchive archive(buffer, k_archive_flags);
    const auto index = static_cast<std::uint8_t>(message.index());
    archive << index;
    std::visit([&archive](const auto& alternative) { archive << alternative; }, message);
  }
  const std::size_t payload_bytes = frame.size() - sizeof(FrameHeader);
  const FrameHeader header{k_magic, k_protocol_version, payload_bytes,
                           XXH3_64bits(frame.data() + sizeof(FrameHeader), payload_bytes)};
  std::memcpy(frame.data(), &header, sizeof header);
  return frame;
}

Outcome<Message> decode(std::span<const std::byte> frame) {
  FrameHeader header{};
  if (frame.size() < sizeof header) return bad("shorter than a header");
  std::memcpy(&header, frame.data(), sizeof header);
  if (header.magic != k_magic) return bad("wrong magic");
  if (header.protocol != k_protocol_version)
    return failure(ErrorKind::unsupported, EPROTONOSUPPORT, "decode message:",
                   fmt::format("protocol version {}, this build speaks {}", header.protocol, k_protocol_version));
  const auto payload = frame.subspan(sizeof header);
  if (header.payload_bytes != payload.size()) return bad("length does not match");
  if (header.checksum != XXH3_64bits(payload.data(), payload.size())) return bad("checksum does not match");
  try {
    ViewBuffer buffer(payload);
    boost::archive::binary_iarchive archive(buffer, k_archive_flags);
    std::uint8_t index = 0;
    archive >> index;
    if (index >= std::variant_size_v<Message>) return bad("unknown kind");
    Message message = make_alternative(index, std::make_index_sequence<std::variant_size_v<Message>>{});
    std::visit([&archive](auto& alternative) { archive >> alternative; }, message);
    if (!buffer.exhausted()) return bad("bytes after the end");
    return message;
  } catch (const std::exception& e) {
    // Boost's archives throw more than archive_exception on bad bytes (bad_alloc, length_error).
    return bad(e.what());
  }
}

}  // namespace lhsm::comm
