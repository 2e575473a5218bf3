// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What all commands that show people how far they are have in common: when a line is due and how it is shown, and how a
// flood of failures is kept from filling the log. One thread.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/fold.hpp"

namespace lhsm::report {

/// Return the local time as "2026-11-22T12:00:00".
[[nodiscard]] std::string local_time();

/// Whether one line is rewritten over and over (a terminal), or each line stays.
enum class Style { live, lines };

/// Lines of progress: a live one, or one each `interval` (0: none).
class ProgressLines {
 public:
  ProgressLines(std::FILE* out, Style style, std::chrono::seconds interval);
  /// Return whether a line is due; the first call begins the first interval. True is said once for each line.
  [[nodiscard]] bool due(TimePoint now);
  /// `line` has no end; in style `lines` the time goes before it.
  void print(const std::string& line);
  /// Leave the live line, if there is one, as it stands.
  void end();

 private:
  std::FILE* m_out;
  bool m_is_live;
  Duration m_interval;
  bool m_is_open = false;
  TimePoint m_next{};
};

/// Failures into the log, each with a line, but of a flood only some (Fold). What is folded is said when the ten seconds are over.
class FailureLog {
 public:
  /// `kind` is what equal failures have in common, without names of files: "RESTORE: pread (EIO)".
  void failed(const std::string& kind, const std::string& line);
  /// To be called often: ends the ten seconds when they are over.
  void pass(TimePoint now);
  /// Say what was folded and not said yet.
  void close();

 private:
  static void say(const std::vector<Fold::Folded>& folded);

  Fold m_fold;
};

}  // namespace lhsm::report
