#include "cli/commands/all_commands.h"

#include "cli/commands/backup.h"
#include "cli/commands/capture.h"
#include "cli/commands/capture_status.h"
#include "cli/commands/check.h"
#include "cli/commands/completion.h"
#include "cli/commands/config_show.h"
#include "cli/commands/coverage.h"
#include "cli/commands/doctor.h"
#include "cli/commands/export.h"
#include "cli/commands/help.h"
#include "cli/commands/import.h"
#include "cli/commands/info.h"
#include "cli/commands/init.h"
#include "cli/commands/key_add.h"
#include "cli/commands/key_list.h"
#include "cli/commands/key_remove.h"
#include "cli/commands/log.h"
#include "cli/commands/optimize.h"
#include "cli/commands/profile_validate.h"
#include "cli/commands/restore.h"
#include "cli/commands/show.h"
#include "cli/commands/smokava_seed.h"
#include "cli/commands/smokava_traffic.h"
#include "cli/commands/snapshot_create.h"
#include "cli/commands/snapshot_remove.h"
#include "cli/commands/snapshot_tag.h"
#include "cli/commands/snapshot_untag.h"
#include "cli/commands/snapshots.h"
#include "cli/commands/status.h"
#include "cli/commands/verify.h"
#include "cli/commands/version.h"

namespace holdfast::cli {

Commands make_all_commands() {
  Commands commands;
  commands.push_back(make_backup_command());
  commands.push_back(make_snapshots_command());
  commands.push_back(make_show_command());
  commands.push_back(make_snapshot_create_command());
  commands.push_back(make_snapshot_tag_command());
  commands.push_back(make_snapshot_untag_command());
  commands.push_back(make_snapshot_remove_command());
  commands.push_back(make_restore_command());
  commands.push_back(make_capture_command());
  commands.push_back(make_capture_status_command());
  commands.push_back(make_coverage_command());
  commands.push_back(make_log_command());
  commands.push_back(make_export_command());
  commands.push_back(make_import_command());
  commands.push_back(make_verify_command());
  commands.push_back(make_check_command());
  commands.push_back(make_profile_validate_command());
  commands.push_back(make_status_command());
  commands.push_back(make_info_command());
  commands.push_back(make_init_command());
  commands.push_back(make_optimize_command());
  commands.push_back(make_key_list_command());
  commands.push_back(make_key_add_command());
  commands.push_back(make_key_remove_command());
  commands.push_back(make_doctor_command());
  commands.push_back(make_config_show_command());
  commands.push_back(make_smokava_seed_command());
  commands.push_back(make_smokava_traffic_command());
  commands.push_back(make_completion_command());
  commands.push_back(make_version_command());
  commands.push_back(make_help_command());
  return commands;
}

}  // namespace holdfast::cli
