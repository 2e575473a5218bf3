// SPDX-License-Identifier: LGPL-2.1-or-later
#include "report_command.hpp"

#include <chrono>
#include <filesystem>

#include "lhsmtool_mpi/base/wall_clock.hpp"
#include "lhsmtool_mpi/cli/build_id.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "lhsmtool_mpi/pages/report.hpp"
#include "rank_zero.hpp"

namespace lhsm::cli {

namespace {

template <class T>
T must(Outcome<T> outcome) {
  if (!outcome) throw Fatal(outcome.error());
  return std::move(*outcome);
}
void must(const Status& status) {
  if (!status) throw Fatal(status.error());
}

/// Whether the report would take the place of what it is about.
bool is_of_the_job(const std::string& output, const std::string& manifest) {
  std::error_code ec;
  for (const std::string& file : {manifest, store::journal_path(manifest), store::rotated_journal_path(manifest), manifest + ".lock"})
    if (output == file || std::filesystem::equivalent(output, file, ec)) return true;
  return false;
}

}  // namespace

ReportCommand::ReportCommand(CLI::App& app)
    : m_app(app.add_subcommand("report", "Report what became of a job's files, also while it runs")) {
  m_app->add_option("JOB", m_manifest, "Manifest of the job")->required()->type_name("");
  CLI::Option* const csv = m_app->add_flag_callback(
      "--csv", [this] { m_form = Form::csv; }, "A line for each item");
  CLI::Option* const json = m_app->add_flag_callback(
      "--json", [this] { m_form = Form::json; }, "Sums, errors, runs, courses of time");
  m_app
      ->add_flag_callback(
          "--html", [this] { m_form = Form::html; }, "A page to look at, in one file")
      ->excludes(csv)
      ->excludes(json);
  csv->excludes(json);
  m_app->add_flag("--items", m_items, "With --json: all items, too");
  m_app
      ->add_option("-o,--output", m_output,
                   "Write to this file, whose ending may tell the form; else to the standard output")
      ->type_name("FILE");
}

ReportCommand::Form ReportCommand::form() const {
  if (m_form != Form::by_name) return m_form;
  if (m_output.ends_with(".csv")) return Form::csv;
  if (m_output.ends_with(".json")) return Form::json;
  if (m_output.ends_with(".html")) return Form::html;
  throw UsageError("report: say --csv, --json or --html, or -o FILE with such an ending");
}

int ReportCommand::run() const {
  const Form form = this->form();
  if (m_items && form != Form::json) throw UsageError("report: --items is about --json");
  if (is_of_the_job(m_output, m_manifest)) throw UsageError("report: -o names a file of the job itself");
  if (!speaks_for_all()) return k_all_done;
  store::SeenJob job = must(store::look_at_job(m_manifest));
  pages::Output out = must(pages::Output::open(m_output));
  if (form == Form::csv) {
    must(pages::write_csv(job, out));
  } else {
    pages::Subject subject;
    subject.manifest = m_manifest;
    subject.program = version_text().substr(0, version_text().find('\n'));
    subject.now_ns = wall_clock_ns();
    const auto holder = store::look_at_lock(m_manifest);
    subject.is_running = holder && *holder;
    const pages::Statistics statistics = must(pages::gather(job, subject.is_running ? subject.now_ns : 0));
    if (form == Form::json)
      must(pages::write_json(job, subject, statistics, m_items, out));
    else
      must(pages::write_html(job, subject, statistics, out));
  }
  must(out.finish());
  return k_all_done;
}

}  // namespace lhsm::cli
