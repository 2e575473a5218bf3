// SPDX-License-Identifier: LGPL-2.1-or-later
#include "svg_chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/pages/text.hpp"

namespace lhsm::pages {

namespace {

/// Where a chart's values are drawn.
struct Frame {
  double width, height;
  double left, right, top, bottom;  // margins

  [[nodiscard]] double inner_width() const { return width - left - right; }
  [[nodiscard]] double inner_height() const { return height - top - bottom; }
  [[nodiscard]] double base() const { return height - bottom; }
};

std::string opened(const Frame& frame, const std::string& title) {
  return fmt::format("<svg viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-label=\"{}\">\n", frame.width, frame.height,
                     html_text(title));
}

std::string text_at(double x, double y, const char* anchor, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor, html_text(text));
}

std::string line(const char* kind, double x1, double y1, double x2, double y2) {
  return fmt::format("<path class=\"{}\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/>\n", kind, x1, y1, x2, y2);
}

/// A place that answers to the pointer.
std::string spot(double x, double y, double width, double height, const std::string& note) {
  return fmt::format(
      "<rect class=\"spot\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"><title>{}</title></rect>\n", x,
      y, width, height, html_text(note));
}

std::string axis_time(double seconds) {
  if (seconds < 0.001) return "0";
  if (seconds < 60) return fmt::format("{:g} s", seconds);
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 3600) return whole % 60 == 0 ? fmt::format("{} min", whole / 60) : format_duration(whole);
  if (whole < 86400) return whole % 3600 == 0 ? fmt::format("{} h", whole / 3600) : format_duration(whole);
  return whole % 86400 == 0 ? fmt::format("{} d", whole / 86400) : format_duration(whole);
}

/// The axis of time below a chart, and where runs begin.
std::string time_axis(const Frame& frame, double seconds, const std::vector<double>& breaks) {
  std::string out;
  const auto x_of = [&](double at) { return frame.left + at / seconds * frame.inner_width(); };
  for (const double at : time_ticks(seconds)) {
    // The last one would leave the picture at its end.
    const char* anchor = x_of(at) > frame.width - frame.right - 20 ? "end" : "middle";
    out += text_at(x_of(at), frame.base() + 17, anchor, axis_time(at));
  }
  for (const double at : breaks) out += line("break", x_of(at), frame.top, x_of(at), frame.base());
  return out;
}

/// The surface between the base and a line of steps, one for each value.
std::string steps(const Frame& frame, const std::vector<double>& values, double largest) {
  const double width = frame.inner_width() / static_cast<double>(values.size());
  std::string path = fmt::format("M{:.1f} {:.1f}", frame.left, frame.base());
  for (std::size_t i = 0; i < values.size(); ++i)
    path += fmt::format("V{:.1f}H{:.1f}", frame.base() - values[i] / largest * frame.inner_height(),
                        frame.left + width * static_cast<double>(i + 1));
  return path + fmt::format("V{:.1f}Z", frame.base());
}

}  // namespace

std::vector<double> round_ticks(double largest, double base) {
  if (!(largest > 0)) return {0, 1};
  const double unit = std::pow(base, std::floor(std::log(largest) / std::log(base)));
  double step = unit / 1000;
  for (double decade = unit / 1000; step * 4 < largest && decade <= unit * base; decade *= 10)
    for (const double factor : {1.0, 2.0, 2.5, 5.0})
      if (step * 4 < largest) step = decade * factor;
  std::vector<double> ticks{0};
  while (ticks.back() < largest && ticks.size() < 10) ticks.push_back(ticks.back() + step);
  return ticks;
}

std::vector<double> time_ticks(double seconds) {
  constexpr std::array k_steps = {0.1,    0.2,     0.5,     1.0,     2.0,     5.0,      10.0,     15.0,
                                  30.0,   60.0,    120.0,   300.0,   600.0,   900.0,    1800.,    3600.,
                                  7200.0, 14400.0, 21600.0, 43200.0, 86400.0, 172800.0, 604800.0, 2.4e6};
  const auto step = std::find_if(k_steps.begin(), k_steps.end() - 1, [seconds](double s) { return seconds / s <= 8; });
  std::vector<double> ticks;
  for (std::size_t i = 0; static_cast<double>(i) * *step <= seconds && i <= 100; ++i)
    ticks.push_back(static_cast<double>(i) * *step);
  return ticks;
}

std::string draw(const CourseChart& chart) {
  constexpr Frame k_frame{1000, 210, 76, 8, 10, 26};
  if (chart.values.empty() || chart.seconds <= 0) return {};
  double largest = *std::max_element(chart.values.begin(), chart.values.end());
  if (!chart.marks.empty()) largest = std::max(largest, *std::max_element(chart.marks.begin(), chart.marks.end()));
  const auto ticks = round_ticks(largest, chart.tick_base);
  largest = ticks.back();
  std::string out = opened(k_frame, chart.title);
  for (const double tick : ticks) {
    const double y = k_frame.base() - tick / largest * k_frame.inner_height();
    out += line("grid", k_frame.left, y, k_frame.width - k_frame.right, y);
    out += text_at(k_frame.left - 8, y + 4, "end", chart.unit(tick));
  }
  out += fmt::format("<path class=\"area {}\" d=\"{}\"/>\n", chart.tone, steps(k_frame, chart.values, largest));
  if (!chart.marks.empty())
    out += fmt::format("<path class=\"marks\" d=\"{}\"/>\n", steps(k_frame, chart.marks, largest));
  out += time_axis(k_frame, chart.seconds, chart.breaks);
  const double width = k_frame.inner_width() / static_cast<double>(chart.values.size());
  for (std::size_t i = 0; i < chart.values.size(); ++i) {
    const double at = chart.seconds * static_cast<double>(i) / static_cast<double>(chart.values.size());
    std::string note = short_duration(at) + ": " + chart.unit(chart.values[i]);
    if (!chart.marks.empty() && chart.marks[i] > 0) note += ", failed " + chart.unit(chart.marks[i]);
    out += spot(k_frame.left + width * static_cast<double>(i), k_frame.top, width, k_frame.inner_height(), note);
  }
  return out + "</svg>\n";
}

std::string draw(const BarChart& chart) {
  constexpr Frame k_frame{490, 210, 40, 4, 10, 26};
  if (chart.classes.empty()) return {};
  double largest = 0;
  for (const auto& c : chart.classes) largest = std::max({largest, c.first, c.second});
  const auto ticks = round_ticks(largest * 100, 1000);
  largest = ticks.back() / 100;
  std::string out = opened(k_frame, chart.title);
  for (const double tick : ticks) {
    const double y = k_frame.base() - tick / 100 / largest * k_frame.inner_height();
    out += line("grid", k_frame.left, y, k_frame.width - k_frame.right, y);
    out += text_at(k_frame.left - 6, y + 4, "end", fmt::format("{:g} %", tick));
  }
  const double width = k_frame.inner_width() / static_cast<double>(chart.classes.size());
  const double bar = width * (chart.has_second ? 0.4 : 0.8);
  const std::size_t each = (chart.classes.size() + 11) / 12;  // labels that fit beside each other
  for (std::size_t i = 0; i < chart.classes.size(); ++i) {
    const auto& c = chart.classes[i];
    const double x = k_frame.left + width * static_cast<double>(i);
    const auto bar_at = [&](double at, double share, const char* tone) {
      if (share <= 0) return;
      const double height = std::max(share / largest * k_frame.inner_height(), 1.0);
      out += fmt::format("<rect class=\"bar {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
                         tone, at, k_frame.base() - height, bar, height);
    };
    bar_at(x + width * 0.1, c.first, "files");
    if (chart.has_second) bar_at(x + width * 0.5, c.second, "bytes");
    if (i % each == 0) out += text_at(x + width / 2, k_frame.base() + 17, "middle", c.label);
    out += spot(x, k_frame.top, width, k_frame.inner_height(), c.note);
  }
  return out + "</svg>\n";
}

std::string draw(const HeatChart& chart) {
  constexpr double k_row = 18;
  constexpr int k_levels = 6;
  if (chart.rows.empty() || chart.seconds <= 0) return {};
  const Frame frame{1000, k_row * static_cast<double>(chart.rows.size()) + 30, 96, 190, 4, 26};
  std::string out = opened(frame, chart.title);
  std::array<std::string, k_levels> paths;
  for (std::size_t r = 0; r < chart.rows.size(); ++r) {
    const auto& row = chart.rows[r];
    const double y = frame.top + k_row * static_cast<double>(r);
    out += text_at(frame.left - 8, y + 13, "end", row.label) +
           text_at(frame.width - frame.right + 10, y + 13, "start", row.note);
    out += fmt::format("<rect class=\"track\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
                       frame.left, y + 1, frame.inner_width(), k_row - 2);
    const double width = frame.inner_width() / static_cast<double>(row.cells.size());
    for (std::size_t i = 0; i < row.cells.size();) {
      const auto level_of = [&](std::size_t at) {
        return row.cells[at] <= 0 ? -1 : std::min(static_cast<int>(row.cells[at] * k_levels), k_levels - 1);
      };
      const int level = level_of(i);
      std::size_t end = i + 1;
      while (end < row.cells.size() && level_of(end) == level) ++end;
      if (level >= 0)
        paths.at(static_cast<std::size_t>(level)) +=
            fmt::format("M{:.1f} {:.1f}h{:.1f}v{:.1f}h-{:.1f}z", frame.left + width * static_cast<double>(i), y + 1,
                        width * static_cast<double>(end - i), k_row - 2, width * static_cast<double>(end - i));
      i = end;
    }
  }
  for (std::size_t level = 0; level < paths.size(); ++level)
    if (!paths[level].empty())
      out += fmt::format("<path class=\"heat\" opacity=\"{:.2f}\" d=\"{}\"/>\n",
                         (static_cast<double>(level) + 1) / k_levels, paths[level]);
  return out + time_axis(frame, chart.seconds, chart.breaks) + "</svg>\n";
}

}  // namespace lhsm::pages
