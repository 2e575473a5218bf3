// SPDX-License-Identifier: LGPL-2.1-or-later
#include "check_command.hpp"

#include <algorithm>

namespace lhsm::cli {

CheckCommand::CheckCommand(CLI::App& app)
    : m_app(app.add_subcommand("check", "Look at what a run on these nodes would find, before anything is touched")) {
  m_app->footer(
      "Nothing is changed in Lustre. In the archive one file is made and removed (.lhsmtool_mpi_check.*), unless --read-only.\n"
      "The MDS logs one line for each host (\"Cannot find running request for cookie 0\"): that is how it is asked whether HSM is enabled.");
  m_app->add_option("MOUNT", m_options.mount, "Mount point of the file system")->required()->type_name("");
  m_app->add_option("-p,--hsm-root,--hsm_root", m_options.archive_root, "Root directory of the archive")->required()->type_name("DIR");
  m_app->add_option("-A,--archive", m_options.plan.archive_ids, "Archive id that will be served; may be repeated (none, or 0: all)")
      ->type_name("N")
      ->allow_extra_args(false);  // else it would swallow the mount point
  m_app->add_option("--slots", m_options.slots, "Copies at once on each rank, as the run will have them")
      ->check(CLI::Range(1U, 1024U))
      ->capture_default_str()
      ->type_name("N");
  m_app->add_option("--keep-alive", m_options.plan.keep_alive_s, "Seconds between signs of life, as the run will have them")
      ->check(CLI::Range(1U, 86400U))
      ->capture_default_str()
      ->type_name("S");
  m_app->add_flag("--read-only", m_options.reads_only, "Write nothing into the archive: it will only be restored from");
  m_app
      ->add_option_function<unsigned>(
          "--timeout", [this](unsigned s) { m_options.patience = std::chrono::seconds(s); }, "Seconds to wait for a rank that does not answer")
      ->check(CLI::Range(1U, 3600U))
      ->default_str("60")
      ->type_name("S");
  m_app->add_flag("--json", m_options.is_json, "As JSON");
}

int CheckCommand::run() {
  // 0 stands for all archives, as for a run.
  auto& ids = m_options.plan.archive_ids;
  if (std::find(ids.begin(), ids.end(), 0U) != ids.end()) ids.clear();
  return run_check(m_options);
}

}  // namespace lhsm::cli
