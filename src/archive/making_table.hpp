// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What this process has in the making, written down in the archive, so that a later one can remove it
// when this one is killed. The process holds a lock on its table; the table that nobody holds is a dead
// one's (leftovers.hpp). An object costs one small write, which is not synced.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "lhsmtool_mpi/archive/beneath.hpp"
#include "making_record.hpp"
#include "names.hpp"

namespace lhsm::archive {

class MakingTable;

/// The names of one object in the making, from before its file is created until it is published or
/// gone. Move-only; one thread. The record is not erased: its names will not be used again.
class Making {
 public:
  Making() = default;
  Making(MakingTable* table, std::size_t slot, std::string unique)
      : m_table(table), m_slot(slot), m_unique(std::move(unique)) {}
  Making(Making&& other) noexcept
      : m_table(std::exchange(other.m_table, nullptr)), m_slot(other.m_slot), m_unique(std::move(other.m_unique)) {}
  Making& operator=(Making&&) = delete;
  ~Making();

  [[nodiscard]] const std::string& unique() const { return m_unique; }
  /// Something could not be removed: the record stays for the next start.
  void keep();

 private:
  MakingTable* m_table = nullptr;
  std::size_t m_slot = 0;
  std::string m_unique;
};

/// Any thread. The file is made at the first claim, and removed at the end if nothing had to be kept.
class MakingTable {
 public:
  /// Of `owner`'s: see PosixOptions.
  MakingTable(const Beneath& tree, TreeFormat format, UniqueNames& names, std::string owner)
      : m_tree(tree), m_format(format), m_names(names), m_owner(std::move(owner)) {}
  ~MakingTable();
  MakingTable(const MakingTable&) = delete;
  MakingTable& operator=(const MakingTable&) = delete;

  /// Write down that an object of `fid` is in the making.
  [[nodiscard]] Outcome<Making> claim(const Fid& fid);
  /// Return its name in the tables' directory. The file is made where it is not there yet.
  [[nodiscard]] Outcome<std::string> name();

 private:
  friend class Making;
  [[nodiscard]] Status open();
  [[nodiscard]] Outcome<bool> open_as(const std::string& name);
  void give_back(std::size_t slot);

  const Beneath& m_tree;
  TreeFormat m_format;
  UniqueNames& m_names;
  std::string m_owner;
  std::mutex m_mutex;
  Fd m_dir;
  Fd m_file;
  std::string m_name;
  std::vector<std::size_t> m_free;
  std::size_t m_slots = 0;
  bool m_keep = false;
};

enum class TableLock { held, taken, unsupported };

/// Try to lock the table `fd`, an open file description lock: it ends with the last descriptor, so with
/// the process. `taken`: another process has it.
[[nodiscard]] TableLock lock_table(int fd);

}  // namespace lhsm::archive
