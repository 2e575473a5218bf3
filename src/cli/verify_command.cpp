// SPDX-License-Identifier: LGPL-2.1-or-later
#include "verify_command.hpp"

#include <map>

#include "lhsmtool_mpi/base/size.hpp"
#include "log_options.hpp"

namespace lhsm::cli {

VerifyCommand::VerifyCommand(CLI::App& app)
    : m_app(app.add_subcommand("verify", "Check the archive's objects of a job's files by their digests")) {
  m_app->add_option("JOB", m_options.manifest, "Manifest of the files, as scan makes it")->required()->type_name("");
  m_app->add_option("-p,--hsm-root,--hsm_root", m_options.archive.root, "Root directory of the archive")
      ->required()
      ->type_name("DIR");
  m_app
      ->add_option("-F,--archive-format,--archive_format", m_options.archive.format,
                   "Directory tree of the archive: v1 or v2")
      ->transform(CLI::Transformer(std::map<std::string, archive::TreeFormat>{{"v1", archive::TreeFormat::v1},
                                                                              {"v2", archive::TreeFormat::v2}})
                      .description(""))
      ->default_str("v1")
      ->type_name("v1|v2");
  m_app
      ->add_option("--failed", m_options.failed_list,
                   "Write what failed into this file: .csv, .json, or a list that can be read again")
      ->type_name("FILE");
  m_app->add_option("--threads", m_options.threads, "Objects that are read at once, on each rank")
      ->check(CLI::Range(1U, 256U))
      ->capture_default_str()
      ->type_name("N");
  m_app
      ->add_option_function<std::string>(
          "-b,--bandwidth",
          [this](const std::string& text) {
            const auto size = parse_size(text, k_MiB);
            if (!size || *size == 0) throw CLI::ValidationError("'" + text + "' is not a size such as 64M or 1.5G");
            m_options.bandwidth = *size;
          },
          "Bytes per second that all ranks together may read; a bare number counts MiB")
      ->default_str("no limit")
      ->type_name("SIZE");
  m_app->add_flag_callback(
      "--direct", [this] { m_options.archive.direct = copy::Direct::yes; }, "Go round the page cache (O_DIRECT)");
  m_app
      ->add_option_function<unsigned>(
          "--progress", [this](unsigned s) { m_options.progress = std::chrono::seconds(s); },
          "Seconds between lines of progress (0: none)")
      ->default_str("10")
      ->type_name("S");
  m_app->add_flag("--json", m_options.json, "The summary as JSON, and progress on stderr");
  add_log_options(*m_app, m_options.log);
}

int VerifyCommand::run(const std::string& agreed) {
  m_options.agreed = agreed;
  return run_verify(m_options);
}

}  // namespace lhsm::cli
