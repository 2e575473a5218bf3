// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mount_checks.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>

#include <fstream>
#include <set>
#include <sstream>

namespace lhsm::check {

namespace {

constexpr int k_directory_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

const std::string k_as_root = "run it as root, outside of containers with a user namespace of their own";

CheckFinding failed(const std::string& subject, const std::string& text, const std::string& remedy) {
  return {CheckVerdict::fail, subject, text, remedy};
}

const std::string k_look = "dmesg, and lctl get_param mdc.*.import osc.*.import, on this node";

std::string remedy_for_mount(const Error& error) {
  switch (error.sys_errno) {
    case ENODEV: return "mount -t lustre MGS:/FSNAME MOUNT on every node, and name that mount point";
    case ELIBACC: return "install Lustre's client utilities (liblustreapi.so.1) on this node";
    case ENOTCONN: return "start the emulator: lhsm_emulator start DIR";
    default: return k_look;
  }
}

/// The version of the client's modules, or nothing.
std::string client_version() {
  for (const char* path : {"/sys/fs/lustre/version", "/proc/fs/lustre/version"}) {
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line)) continue;
    const auto digit = line.find_first_of("0123456789");  // older ones say "lustre: 2.15.8"
    if (digit != std::string::npos) return line.substr(digit);
  }
  return {};
}

}  // namespace

comm::CheckFound MountChecks::look_at_mount() {
  comm::CheckFound found;
  auto opened = m_options.senses.open_mount(m_options.mount);
  if (!opened) {
    found.findings.push_back(failed("mount", opened.error().describe(), remedy_for_mount(opened.error())));
    return found;
  }
  const std::string& mount = opened->client->mount_point();
  Fd root(::open(mount.c_str(), k_directory_flags));
  if (!root) {
    found.findings.push_back(failed("mount", errno_error("open", mount).value().describe(), k_look));
    return found;
  }
  found.facts.push_back({"fsname", opened->client->fsname()});
  struct statvfs room {};
  if (::fstatvfs(*root, &room) != 0)
    found.findings.push_back(failed("mount", errno_error("statvfs", mount).value().describe(), k_look));
  else if ((room.f_flag & ST_RDONLY) != 0)
    found.findings.push_back(failed("mount", fmt::format("{} is mounted read-only", mount), "mount it rw"));
  else
    found.findings.push_back({CheckVerdict::ok, "mount",
                              fmt::format("{}Lustre '{}' at {}", opened->is_emulated ? "emulated " : "", opened->client->fsname(), mount), ""});
  if (m_asked.speaks_for_run && room.f_frsize != 0)
    found.findings.push_back(judge_room("mount", mount,
                                        {static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize,
                                         static_cast<std::uint64_t>(room.f_blocks) * room.f_frsize, room.f_favail, room.f_files}));
  m_mount.emplace(std::move(*opened));
  m_root = std::move(root);
  look_at_versions(found);
  return found;
}

void MountChecks::look_at_versions(comm::CheckFound& found) const {
  if (m_mount->is_emulated) return;
  const std::string client = client_version();
  found.findings.push_back(client.empty()
                               ? CheckFinding{CheckVerdict::warn, "version", "the version of Lustre's client is not to be found", "lctl get_param version"}
                               : judge_version("clients", client));
  if (!m_asked.speaks_for_run) return;
  const std::string name = fmt::format("mdc.{}-MDT*.import", m_mount->client->fsname());
  std::istringstream lines(m_options.senses.parameter_text(name));
  std::set<std::string> versions;
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view k_key = "target_version: ";
    if (const auto at = line.find(k_key); at != std::string::npos) versions.insert(line.substr(at + k_key.size()));
  }
  if (versions.empty())
    found.findings.push_back({CheckVerdict::warn, "version", "the version of the servers is not visible from here", "lctl get_param " + name});
  for (const std::string& version : versions) found.findings.push_back(judge_version("MDS", version));
}

comm::CheckFound MountChecks::look_at_privileges() {
  comm::CheckFound found;
  m_is_administrator = m_options.senses.is_administrator();
  if (!m_mount) return found;
  if (!m_is_administrator && m_mount->is_emulated) {
    found.findings.push_back({CheckVerdict::ok, "privileges", "not root's: an emulated Lustre asks for none", ""});
    m_is_administrator = true;
    return found;
  }
  if (!m_is_administrator) {
    found.findings.push_back(failed("privileges", "no CAP_SYS_ADMIN: neither a copytool nor its ranks can work", k_as_root));
    return found;
  }
  // What every copy goes through. A mount of a subdirectory has none, and a squashed root may not enter it.
  const Fd by_fid(::openat(*m_root, ".lustre/fid", k_directory_flags));
  if (const int error = errno; !by_fid)
    found.findings.push_back(failed("privileges", errno_error("open", m_mount->client->mount_point() + "/.lustre/fid", error).value().describe(),
                                    error == ENOENT ? "mount the file system's root instead of a subdirectory"
                                                    : "do not squash root on this client (nodemap: admin=1; mdt.*.nosquash_nids)"));
  else
    found.findings.push_back({CheckVerdict::ok, "privileges", "CAP_SYS_ADMIN, files can be opened by FID", ""});
  return found;
}

comm::CheckFound MountChecks::look_at_coordinator() {
  comm::CheckFound found;
  if (!m_mount || !m_asked.speaks_for_host) return found;
  const std::string fsname = m_mount->client->fsname();
  const std::string enable = fmt::format("on the MDS: lctl set_param mdt.{}-MDT*.hsm_control=enabled    (set_param -P keeps it)", fsname);
  if (!m_is_administrator) {
    found.findings.push_back({CheckVerdict::warn, "coordinator", "answers administrators only: nothing is known of it", k_as_root});
  } else if (const auto fid = m_mount->client->fid_of(*m_root); !fid) {
    found.findings.push_back(failed("coordinator", fid.error().describe(), k_look));
  } else {
    // A sign of life for a request that cannot exist (cookies count from the time of day on): the only call whose answer
    // tells whether a coordinator runs and whether it takes us for an administrator, and that changes nothing.
    abi::hsm_progress sign{};
    sign.hp_fid = {fid->seq, fid->oid, fid->ver};
    const Status answer = m_mount->client->progress(sign);
    const int code = answer ? 0 : answer.error().sys_errno;
    if (code == ENOENT)
      found.findings.push_back({CheckVerdict::ok, "coordinator", "runs, and takes this client for an administrator's (asked of MDT0000)", ""});
    else if (code == EAGAIN)
      found.findings.push_back(failed("coordinator", "HSM is not enabled: the coordinator of MDT0000 does not run", enable));
    else if (code == EPERM || code == EACCES)
      found.findings.push_back(failed("coordinator", "the MDS does not take this client for an administrator's: root is squashed",
                                      "nodemap: lctl nodemap_modify --name NAME --property admin --value 1, and hsm_ops in its rbac (2.17); "
                                      "else: lctl set_param mdt.*.nosquash_nids=NIDS"));
    else
      found.findings.push_back(failed("coordinator", answer ? "knows a request that cannot be" : answer.error().describe(), k_look));
  }
  std::vector<std::string> names;
  for (const char* name : {"hsm_control", "hsm.max_requests", "hsm.active_request_timeout", "hsm.grace_delay", "hsm.loop_period",
                           "hsm.default_archive_id"})
    names.push_back(fmt::format("mdt.{}-MDT*.{}", fsname, name));
  found.facts = m_options.senses.parameters(names);
  if (m_asked.speaks_for_run) look_at_agents(found);
  return found;
}

void MountChecks::look_at_agents(comm::CheckFound& found) {
  const auto uuid = m_mount->client->agent_uuid();
  if (!uuid || uuid->empty()) return;
  const std::string agents = m_options.senses.parameter_text(fmt::format("mdt.{}-MDT*.hsm.agents", m_mount->client->fsname()));
  if (agents.find("uuid=" + *uuid + ' ') == std::string::npos) return;
  found.findings.push_back(failed("coordinator", "a copytool is registered on rank 0's client already: Lustre would send every action to both",
                                  "stop it, begin on another node, or let it copy (--submit-only); of one that was killed a run takes the place"));
}

}  // namespace lhsm::check
