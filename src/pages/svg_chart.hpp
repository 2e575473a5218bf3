// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Charts as SVG elements that take their colours from the page's style. Pure code; texts come in plain and are escaped
// here.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace lhsm::pages {

using UnitText = std::function<std::string(double)>;

/// Values over time, one for each bin, as steps.
struct CourseChart {
  std::string title;  ///< for those who do not see it
  std::vector<double> values;
  std::vector<double> marks;   ///< before them, in the colour of failures; may be empty
  double seconds = 0;          ///< length of the axis
  std::vector<double> breaks;  ///< seconds at which another run begins
  double tick_base = 1000;     ///< 1024 for bytes
  UnitText unit;
  std::string tone;  ///< class of the colour
};
[[nodiscard]] std::string draw(const CourseChart& chart);

/// Pairs of bars over classes.
struct BarChart {
  struct Class {
    std::string label;
    double first = 0;  ///< shares, 0 to 1
    double second = 0;
    std::string note;  ///< what is said when the pointer is there
  };
  std::string title;
  std::vector<Class> classes;
  bool has_second = true;
};
[[nodiscard]] std::string draw(const BarChart& chart);

/// Rows of cells, the fuller the darker.
struct HeatChart {
  struct Row {
    std::string label;
    std::string note;           ///< at its end
    std::vector<double> cells;  ///< 0 to 1
  };
  std::string title;
  std::vector<Row> rows;
  double seconds = 0;
  std::vector<double> breaks;
};
[[nodiscard]] std::string draw(const HeatChart& chart);

/// Return round values from 0 to at least `largest`, some four of them.
[[nodiscard]] std::vector<double> round_ticks(double largest, double base);
/// Return round moments within `seconds`, some six of them.
[[nodiscard]] std::vector<double> time_ticks(double seconds);

}  // namespace lhsm::pages
