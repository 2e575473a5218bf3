// SPDX-License-Identifier: LGPL-2.1-or-later
//
// An archive that does as the one it wraps until a step, counted from 1 among those of its name, at which
// something happens: a failure, or whatever a test wants to do there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "lhsmtool_mpi/archive/backend.hpp"

namespace lhsm::test {

class FaultyBackend final : public archive::Backend {
 public:
  explicit FaultyBackend(std::unique_ptr<archive::Backend> wrapped) : m_wrapped(std::move(wrapped)) {}

  /// Call `hook` before the `n`-th `step` from now on; an error from it is returned instead of taking the
  /// step. Names are those of the calls below; "sync" is a joined writer's.
  void at(const std::string& step, int n, std::function<Status()> hook) {
    const std::lock_guard lock(m_mutex);
    m_counts.clear();
    m_step = step;
    m_n = n;
    m_hook = std::move(hook);
    m_hit = false;
  }
  void fail(const std::string& step, int n, int sys_errno) {
    at(step, n, [sys_errno]() -> Status { return errno_error("injected", "fault", sys_errno); });
  }
  [[nodiscard]] bool hit() const {
    const std::lock_guard lock(m_mutex);
    return m_hit;
  }

  [[nodiscard]] Outcome<archive::Access> check() override { return m_wrapped->check(); }
  [[nodiscard]] Status check_writable() override { return m_wrapped->check_writable(); }
  [[nodiscard]] Outcome<std::string> mark() override { return m_wrapped->mark(); }
  [[nodiscard]] Outcome<bool> knows(const std::string& mark) override { return m_wrapped->knows(mark); }
  [[nodiscard]] Outcome<std::uint64_t> clear_leftovers(const std::set<std::string>& wanted) override {
    return m_wrapped->clear_leftovers(wanted);
  }
  [[nodiscard]] Outcome<std::unique_ptr<archive::ObjectReader>> open(const Fid& fid) override {
    LHSM_TRY(before("open"));
    LHSM_TRY_ASSIGN(auto reader, m_wrapped->open(fid));
    return std::make_unique<Reader>(*this, std::move(reader));
  }
  [[nodiscard]] Outcome<std::unique_ptr<archive::ObjectWriter>> create(const Fid& fid) override {
    LHSM_TRY(before("create"));
    LHSM_TRY_ASSIGN(auto writer, m_wrapped->create(fid));
    return std::make_unique<Writer>(*this, std::move(writer));
  }
  [[nodiscard]] Outcome<std::unique_ptr<archive::ObjectWriter>> resume(const Fid& fid, const std::string& ticket,
                                                                       std::uint64_t size) override {
    LHSM_TRY(before("resume"));
    LHSM_TRY_ASSIGN(auto writer, m_wrapped->resume(fid, ticket, size));
    return std::make_unique<Writer>(*this, std::move(writer));
  }
  [[nodiscard]] Outcome<std::unique_ptr<copy::ByteSink>> join(const Fid& fid, const std::string& token) override {
    LHSM_TRY(before("join"));
    LHSM_TRY_ASSIGN(auto sink, m_wrapped->join(fid, token));
    return std::make_unique<Sink>(*this, std::move(sink));
  }
  [[nodiscard]] Outcome<std::optional<std::string>> layout(const Fid& fid) override {
    LHSM_TRY(before("layout"));
    return m_wrapped->layout(fid);
  }
  [[nodiscard]] Outcome<bool> remove(const Fid& fid) override {
    LHSM_TRY(before("remove"));
    return m_wrapped->remove(fid);
  }
  [[nodiscard]] Status note_path(const Fid& fid, const std::string& path) override {
    LHSM_TRY(before("note_path"));
    return m_wrapped->note_path(fid, path);
  }

 private:
  Status before(const std::string& step) {
    std::function<Status()> hook;
    {
      const std::lock_guard lock(m_mutex);
      if (step != m_step || ++m_counts[step] != m_n) return {};
      m_hit = true;
      hook = m_hook;
    }
    return hook();
  }

  class Reader final : public archive::ObjectReader {
   public:
    Reader(FaultyBackend& backend, std::unique_ptr<archive::ObjectReader> wrapped)
        : m_backend(backend), m_wrapped(std::move(wrapped)) {}
    [[nodiscard]] std::uint64_t size() const override { return m_wrapped->size(); }
    [[nodiscard]] Outcome<std::string> version() const override {
      LHSM_TRY(m_backend.before("version"));
      return m_wrapped->version();
    }
    [[nodiscard]] Outcome<std::optional<copy::ObjectDigest>> digest() const override {
      LHSM_TRY(m_backend.before("digest"));
      return m_wrapped->digest();
    }
    [[nodiscard]] Outcome<timespec> modified() const override { return m_wrapped->modified(); }
    [[nodiscard]] bool is_shared() const override { return m_wrapped->is_shared(); }
    [[nodiscard]] Outcome<std::size_t> read_at(std::span<std::byte> out, std::uint64_t offset) override {
      LHSM_TRY(m_backend.before("read"));
      return m_wrapped->read_at(out, offset);
    }
    [[nodiscard]] Outcome<std::optional<Extent>> next_data(Extent range) override {
      return m_wrapped->next_data(range);
    }

   private:
    FaultyBackend& m_backend;
    std::unique_ptr<archive::ObjectReader> m_wrapped;
  };

  class Writer final : public archive::ObjectWriter {
   public:
    Writer(FaultyBackend& backend, std::unique_ptr<archive::ObjectWriter> wrapped)
        : m_backend(backend), m_wrapped(std::move(wrapped)) {}
    [[nodiscard]] std::string token() const override { return m_wrapped->token(); }
    [[nodiscard]] Outcome<std::string> ticket() const override { return m_wrapped->ticket(); }
    void keep() override { m_wrapped->keep(); }
    [[nodiscard]] Status set_size(std::uint64_t size) override {
      LHSM_TRY(m_backend.before("set_size"));
      return m_wrapped->set_size(size);
    }
    [[nodiscard]] Status set_attributes(const archive::ObjectAttributes& attributes) override {
      LHSM_TRY(m_backend.before("set_attributes"));
      return m_wrapped->set_attributes(attributes);
    }
    [[nodiscard]] Status set_xattrs(const std::vector<archive::Xattr>& xattrs) override {
      return m_wrapped->set_xattrs(xattrs);
    }
    [[nodiscard]] Status set_layout(const std::string& lov) override { return m_wrapped->set_layout(lov); }
    [[nodiscard]] Status set_digest(const copy::ObjectDigest& digest) override {
      LHSM_TRY(m_backend.before("set_digest"));
      return m_wrapped->set_digest(digest);
    }
    [[nodiscard]] Status write_at(std::span<const std::byte> bytes, std::uint64_t offset) override {
      LHSM_TRY(m_backend.before("write"));
      return m_wrapped->write_at(bytes, offset);
    }
    [[nodiscard]] Status sync() override { return m_wrapped->sync(); }
    [[nodiscard]] Outcome<std::unique_ptr<archive::Publication>> publish() override {
      LHSM_TRY(m_backend.before("publish"));
      return m_wrapped->publish();
    }

   private:
    FaultyBackend& m_backend;
    std::unique_ptr<archive::ObjectWriter> m_wrapped;
  };

  class Sink final : public copy::ByteSink {
   public:
    Sink(FaultyBackend& backend, std::unique_ptr<copy::ByteSink> wrapped)
        : m_backend(backend), m_wrapped(std::move(wrapped)) {}
    [[nodiscard]] Status write_at(std::span<const std::byte> bytes, std::uint64_t offset) override {
      LHSM_TRY(m_backend.before("write"));
      return m_wrapped->write_at(bytes, offset);
    }
    [[nodiscard]] Status sync() override {
      LHSM_TRY(m_backend.before("sync"));
      return m_wrapped->sync();
    }

   private:
    FaultyBackend& m_backend;
    std::unique_ptr<copy::ByteSink> m_wrapped;
  };

  std::unique_ptr<archive::Backend> m_wrapped;
  mutable std::mutex m_mutex;
  std::map<std::string, int> m_counts;
  std::string m_step;
  int m_n = 0;
  std::function<Status()> m_hook;
  bool m_hit = false;
};

}  // namespace lhsm::test
