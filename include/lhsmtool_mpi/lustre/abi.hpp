// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The binary interface of Lustre HSM as user space sees it: structures, numbers and ioctls of
// <linux/lustre/lustre_user.h> and <lustre/lustreapi.h>, the same in Lustre 2.15, 2.16 and 2.17 on
// 64-bit machines. Declared here so that the tool builds without Lustre installed; the names are
// Lustre's own, so that they can be looked up there. Shared by the tool and by the emulator.
//
// lu_fid and everything that holds one is packed to alignment 1: copy members out, never bind a
// reference or pointer to a 64-bit member.
#pragma once

#include <fcntl.h>
#include <sys/ioctl.h>

#include <cstddef>
#include <cstdint>

namespace lhsm::abi {

struct [[gnu::packed]] lu_fid {
  std::uint64_t f_seq;
  std::uint32_t f_oid;
  std::uint32_t f_ver;
};

struct [[gnu::packed]] hsm_extent {
  std::uint64_t offset;
  std::uint64_t length;
};

/// Length of an extent that means "to the end of the file".
inline constexpr std::uint64_t k_whole_file = ~std::uint64_t{0};

struct [[gnu::packed]] hsm_action_item {
  std::uint32_t hai_len;  ///< 72 + bytes of data, not rounded
  std::uint32_t hai_action;
  lu_fid hai_fid;
  lu_fid hai_dfid;
  hsm_extent hai_extent;
  std::uint64_t hai_cookie;  ///< unique per MDT only
  std::uint64_t hai_gid;
  // hai_len - 72 bytes of opaque data follow
};

struct [[gnu::packed]] hsm_action_list {
  std::uint32_t hal_version;
  std::uint32_t hal_count;
  std::uint64_t hal_compound_id;
  std::uint64_t hal_flags;
  std::uint32_t hal_archive_id;
  std::uint32_t padding1;
  // NUL-terminated fsname, padded to 8 bytes, then hal_count items, each padded to 8 bytes
};

struct hsm_request {
  std::uint32_t hr_action;
  std::uint32_t hr_archive_id;
  std::uint64_t hr_flags;
  std::uint32_t hr_itemcount;
  std::uint32_t hr_data_len;
};

struct [[gnu::packed]] hsm_user_item {
  lu_fid hui_fid;
  hsm_extent hui_extent;
};

/// Followed by hr_itemcount hsm_user_item, then hr_data_len bytes of opaque data.
struct [[gnu::packed]] hsm_user_request {
  hsm_request hur_request;
};

struct hsm_user_state {
  std::uint32_t hus_states;
  std::uint32_t hus_archive_id;
  std::uint32_t hus_in_progress_state;
  std::uint32_t hus_in_progress_action;
  hsm_extent hus_in_progress_location;
};

struct hsm_current_action {
  std::uint32_t hca_state;
  std::uint32_t hca_action;
  hsm_extent hca_location;
};

struct hsm_user_import {
  std::uint64_t hui_size;
  std::uint64_t hui_atime;
  std::uint64_t hui_mtime;
  std::uint32_t hui_atime_ns;
  std::uint32_t hui_mtime_ns;
  std::uint32_t hui_uid;
  std::uint32_t hui_gid;
  std::uint32_t hui_mode;
  std::uint32_t hui_archive_id;
};

struct hsm_progress {
  lu_fid hp_fid;
  std::uint64_t hp_cookie;
  hsm_extent hp_extent;
  std::uint16_t hp_flags;
  std::uint16_t hp_errval;
  std::uint32_t padding;
};

struct hsm_copy {
  std::uint64_t hc_data_version;
  std::uint16_t hc_flags;
  std::uint16_t hc_errval;
  std::uint32_t padding;
  hsm_action_item hc_hai;
};

/// What of a hsm_state_set counts.
enum hss_valid : std::uint32_t { HSS_SETMASK = 1, HSS_CLEARMASK = 2, HSS_ARCHIVE_ID = 4 };

struct hsm_state_set {
  std::uint32_t hss_valid;
  std::uint32_t hss_archive_id;
  std::uint64_t hss_setmask;
  std::uint64_t hss_clearmask;
};

struct kuc_hdr {
  std::uint16_t kuc_magic;
  std::uint8_t kuc_transport;
  std::uint8_t kuc_flags;
  std::uint16_t kuc_msgtype;
  std::uint16_t kuc_msglen;  ///< header included
};

/// Argument of LL_IOC_HSM_CT_START; the archive ids (lk_data, u32 each) follow it.
struct [[gnu::packed]] lustre_kernelcomm {
  std::uint32_t lk_wfd;
  std::uint32_t lk_rfd;
  std::uint32_t lk_uid;
  std::uint32_t lk_group;
  std::uint32_t lk_data_count;
  std::uint32_t lk_flags;
};

struct ll_futimes_3 {
  std::uint64_t lfu_atime_sec;
  std::uint64_t lfu_atime_nsec;
  std::uint64_t lfu_mtime_sec;
  std::uint64_t lfu_mtime_nsec;
  std::uint64_t lfu_ctime_sec;
  std::uint64_t lfu_ctime_nsec;
};

struct ioc_data_version {
  std::uint64_t idv_version;
  std::uint32_t idv_layout_version;
  std::uint32_t idv_flags;
};

inline constexpr std::uint32_t LU_PROJECT_SET = 1;
inline constexpr std::uint32_t LU_PROJECT_GET = 2;
struct lu_project {
  std::uint32_t project_type;
  std::uint32_t project_id;
  std::uint32_t project_xflags;
  std::uint32_t project_reserved;
  char project_name[256];  ///< of an entry of the directory that is asked; empty: what is asked itself
};
static_assert(sizeof(lu_project) == 272);

/// Content of the xattr trusted.hsm, little endian.
struct hsm_attrs {
  std::uint32_t hsm_compat;
  std::uint32_t hsm_flags;
  std::uint64_t hsm_arch_id;
  std::uint64_t hsm_arch_ver;
};

struct obd_uuid {
  char uuid[40];
};

/// What llapi_obd_fstatfs() tells of an OST.
struct obd_statfs {
  std::uint64_t os_type;
  std::uint64_t os_blocks;  ///< of os_bsize bytes, as are the next two
  std::uint64_t os_bfree;
  std::uint64_t os_bavail;
  std::uint64_t os_files;
  std::uint64_t os_ffree;  ///< objects that can still be made
  std::uint8_t os_fsid[40];
  std::uint32_t os_bsize;
  std::uint32_t os_namelen;
  std::uint64_t os_maxbytes;
  std::uint32_t os_state;  ///< OS_STATFS_*
  std::uint32_t os_fprecreated;
  std::uint32_t os_granted;
  std::uint32_t os_spare[7];
};

struct obd_dqinfo {
  std::uint64_t dqi_bgrace;
  std::uint64_t dqi_igrace;
  std::uint32_t dqi_flags;
  std::uint32_t dqi_valid;
};

struct obd_dqblk {
  std::uint64_t dqb_bhardlimit;  ///< KiB; 0: none
  std::uint64_t dqb_bsoftlimit;
  std::uint64_t dqb_curspace;  ///< bytes
  std::uint64_t dqb_ihardlimit;
  std::uint64_t dqb_isoftlimit;
  std::uint64_t dqb_curinodes;
  std::uint64_t dqb_btime;
  std::uint64_t dqb_itime;
  std::uint32_t dqb_valid;  ///< QIF_*
  std::uint32_t dqb_padding;
};

/// Argument of OBD_IOC_QUOTACTL; of a quota of a pool its name follows.
struct if_quotactl {
  std::uint32_t qc_cmd;   ///< LUSTRE_Q_*
  std::uint32_t qc_type;  ///< 0 user, 1 group, 2 project
  std::uint32_t qc_id;
  std::uint32_t qc_stat;
  std::uint32_t qc_valid;  ///< 0: of the file system, not of one target
  std::uint32_t qc_idx;
  obd_dqinfo qc_dqinfo;
  obd_dqblk qc_dqblk;
  char obd_type[16];
  obd_uuid obd_uuid_;
};

static_assert(sizeof(lu_fid) == 16 && alignof(lu_fid) == 1);
static_assert(sizeof(hsm_extent) == 16);
static_assert(sizeof(hsm_action_item) == 72);
static_assert(sizeof(hsm_action_list) == 32);
static_assert(sizeof(hsm_request) == 24);
static_assert(sizeof(hsm_user_item) == 32);
static_assert(sizeof(hsm_user_request) == 24);
static_assert(sizeof(hsm_user_state) == 32);
static_assert(sizeof(hsm_current_action) == 24);
static_assert(sizeof(hsm_user_import) == 48);
static_assert(sizeof(hsm_progress) == 48 && offsetof(hsm_progress, hp_flags) == 40);
static_assert(sizeof(hsm_copy) == 88 && offsetof(hsm_copy, hc_hai) == 16);
static_assert(sizeof(hsm_state_set) == 24);
static_assert(sizeof(kuc_hdr) == 8);
static_assert(sizeof(lustre_kernelcomm) == 24 && alignof(lustre_kernelcomm) == 1);
static_assert(sizeof(ll_futimes_3) == 48);
static_assert(sizeof(hsm_attrs) == 24);
static_assert(sizeof(obd_statfs) == 144 && offsetof(obd_statfs, os_state) == 104);
static_assert(sizeof(if_quotactl) == 176 && offsetof(if_quotactl, qc_dqblk) == 48);

enum hsm_states : std::uint32_t {
  HS_NONE = 0x000,
  HS_EXISTS = 0x001,
  HS_DIRTY = 0x002,
  HS_RELEASED = 0x004,
  HS_ARCHIVED = 0x008,
  HS_NORELEASE = 0x010,
  HS_NOARCHIVE = 0x020,
  HS_LOST = 0x040,
  HS_PCCRW = 0x080,
  HS_PCCRO = 0x100,
};
inline constexpr std::uint32_t HSM_USER_MASK = HS_NORELEASE | HS_NOARCHIVE | HS_DIRTY;
inline constexpr std::uint32_t HSM_FLAGS_MASK = 0x1ff;

enum hsm_user_action : std::uint32_t {
  HUA_NONE = 1,
  HUA_ARCHIVE = 10,
  HUA_RESTORE = 11,
  HUA_RELEASE = 12,
  HUA_REMOVE = 13,
  HUA_CANCEL = 14,
};

enum hsm_copytool_action : std::uint32_t {
  HSMA_NONE = 10,
  HSMA_ARCHIVE = 20,
  HSMA_RESTORE = 21,
  HSMA_REMOVE = 22,
  HSMA_CANCEL = 23,
};

enum hsm_progress_states : std::uint32_t { HPS_NONE = 0, HPS_WAITING = 1, HPS_RUNNING = 2, HPS_DONE = 3 };

inline constexpr std::uint64_t HSM_FORCE_ACTION = 1;
inline constexpr std::uint64_t HSM_REQ_BLOCKING = 4;  ///< 2.17: a process waits for this restore
inline constexpr std::uint16_t HP_FLAG_COMPLETED = 1;
inline constexpr std::uint16_t HP_FLAG_RETRY = 2;

inline constexpr std::uint32_t HAL_VERSION = 1;
inline constexpr std::size_t HAL_MAXSIZE = std::size_t{1} << 20;  ///< of the receiver's buffer
inline constexpr std::size_t k_hal_sent_max = 5120;               ///< LDLM_MAXREQSIZE: what an MDT sends at most
inline constexpr std::size_t k_request_max = 1706;                ///< MDS_MAXREQSIZE / 3, exclusive
inline constexpr std::uint16_t KUC_MAGIC = 0x191C;
inline constexpr std::uint8_t KUC_TRANSPORT_GENERIC = 1;
inline constexpr std::uint8_t KUC_TRANSPORT_HSM = 2;
inline constexpr std::uint16_t KUC_MSG_SHUTDOWN = 1;
inline constexpr std::uint16_t HMT_ACTION_LIST = 100;
inline constexpr std::uint32_t KUC_GRP_HSM = 2;
inline constexpr std::uint32_t LK_FLG_STOP = 1;
inline constexpr std::uint32_t LK_FLG_DATANR = 2;  ///< lk_data_count counts ids; without it, it is a bit mask of them
inline constexpr std::size_t MAX_OBD_NAME = 128;
inline constexpr long LL_SUPER_MAGIC = 0x0BD00BD0;
inline constexpr std::uint64_t LL_DV_RD_FLUSH = 1;
inline constexpr std::uint64_t LL_DV_WR_FLUSH = 2;

/// Open without giving the file objects, so that a layout can be set afterwards. 2.15 and 2.16 define
/// 0x01002100, 2.17 defines 0x00002100 (O_NOCTTY | FASYNC); the longer one satisfies both.
inline constexpr int O_LOV_DELAY_CREATE = 0x01002100;

inline constexpr unsigned long LL_IOC_HSM_STATE_GET = 0x802066d3;
inline constexpr unsigned long LL_IOC_HSM_STATE_SET = 0x401866d4;
inline constexpr unsigned long LL_IOC_HSM_CT_START = 0x401866d5;
inline constexpr unsigned long LL_IOC_HSM_COPY_START = 0x400866d6;
inline constexpr unsigned long LL_IOC_HSM_COPY_END = 0x400866d7;
inline constexpr unsigned long LL_IOC_HSM_PROGRESS = 0x401866d8;
inline constexpr unsigned long LL_IOC_HSM_REQUEST = 0x401866d9;
inline constexpr unsigned long LL_IOC_HSM_ACTION = 0x801866dc;
inline constexpr unsigned long LL_IOC_HSM_IMPORT = 0xc03066f5;
inline constexpr unsigned long LL_IOC_FUTIMES_3 = 0xc03066b0;
inline constexpr unsigned long LL_IOC_DATA_VERSION = 0x801066da;
inline constexpr unsigned long LL_IOC_FID2MDTIDX = 0xc01066f8;  ///< of a lu_fid; the index is the result
inline constexpr unsigned long LL_IOC_PATH2FID = 0x800866ad;
inline constexpr unsigned long LL_IOC_PROJECT = 0x411066fd;  ///< of a lu_project; since 2.14
inline constexpr unsigned long LL_IOC_GETOBDCOUNT = 0x800866a8;  ///< of a u32: 0 asks for OSTs, else MDTs
inline constexpr unsigned long LL_IOC_GROUP_LOCK = 0x4008669e;
inline constexpr unsigned long LL_IOC_GROUP_UNLOCK = 0x4008669f;
inline constexpr unsigned long OBD_IOC_QUOTACTL = 0xc0b066a2;

inline constexpr std::uint32_t LL_STATFS_LOV = 2;
inline constexpr std::uint32_t LL_STATFS_NODELAY = 4;  ///< an OST that does not answer is an error at once
inline constexpr std::uint32_t OS_STATFS_DEGRADED = 0x01;
inline constexpr std::uint32_t OS_STATFS_READONLY = 0x02;
inline constexpr std::uint32_t OS_STATFS_NOCREATE = 0x04;
inline constexpr std::uint32_t OS_STATFS_ENOSPC = 0x20;
inline constexpr std::uint32_t OS_STATFS_ENOINO = 0x40;
inline constexpr std::uint32_t LUSTRE_Q_GETQUOTA = 0x800007;
inline constexpr std::uint32_t LUSTRE_Q_SETQUOTA = 0x800008;
inline constexpr std::uint32_t QIF_BLIMITS = 1;
inline constexpr std::uint32_t QIF_SPACE = 2;
inline constexpr std::uint32_t QIF_ILIMITS = 4;
inline constexpr std::uint32_t QIF_INODES = 8;

}  // namespace lhsm::abi
