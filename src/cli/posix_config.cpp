// SPDX-License-Identifier: LGPL-2.1-or-later
#include <yaml.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string_view>

#include "posix_options.hpp"

namespace lhsm::cli {

namespace {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// The first document of a YAML file.
class YamlDocument {
 public:
  YamlDocument() { m_parser_made = yaml_parser_initialize(&m_parser) != 0; }
  ~YamlDocument() {
    if (m_loaded) yaml_document_delete(&m_document);
    if (m_parser_made) yaml_parser_delete(&m_parser);
  }
  YamlDocument(const YamlDocument&) = delete;
  YamlDocument& operator=(const YamlDocument&) = delete;

  bool load(std::FILE* file) {
    if (!m_parser_made) return false;
    yaml_parser_set_input_file(&m_parser, file);
    m_loaded = yaml_parser_load(&m_parser, &m_document) != 0;
    return m_loaded;
  }

  /// The root must be a mapping (an empty file has no root).
  const yaml_node_t* mapping() {
    const yaml_node_t* const root = yaml_document_get_root_node(&m_document);
    return root != nullptr && root->type == YAML_MAPPING_NODE ? root : nullptr;
  }

  /// The text of `key`, or nothing when it is not there; an error when it is no text.
  Outcome<std::optional<std::string>> text(const yaml_node_t& mapping, std::string_view key, const std::string& path) {
    for (const auto* pair = mapping.data.mapping.pairs.start; pair < mapping.data.mapping.pairs.top; ++pair) {
      if (scalar(pair->key) != key) continue;
      auto value = scalar(pair->value);
      if (!value || value->empty()) return failure(ErrorKind::invalid, EINVAL, std::string(key) + " is no text in", path);
      return value;
    }
    return std::nullopt;
  }

 private:
  std::optional<std::string> scalar(int index) {
    const yaml_node_t* const node = yaml_document_get_node(&m_document, index);
    if (node == nullptr || node->type != YAML_SCALAR_NODE) return std::nullopt;
    return std::string(reinterpret_cast<const char*>(node->data.scalar.value), node->data.scalar.length);
  }

  yaml_parser_t m_parser{};
  yaml_document_t m_document{};
  bool m_parser_made = false;
  bool m_loaded = false;
};

}  // namespace

Status read_posix_config(const std::string& path, archive::PosixOptions& options) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "re"));
  if (file == nullptr) return errno_error("open", path);
  YamlDocument document;
  if (!document.load(file.get())) return failure(ErrorKind::invalid, EINVAL, "read as YAML", path);
  const yaml_node_t* const mapping = document.mapping();
  if (mapping == nullptr) return failure(ErrorKind::invalid, EINVAL, "find a mapping in", path);
  LHSM_TRY_ASSIGN(const auto format, document.text(*mapping, "archive_format", path));
  if (format) {
    LHSM_TRY_ASSIGN(options.format, parse_tree_format(*format));
  }
  LHSM_TRY_ASSIGN(const auto root, document.text(*mapping, "archive_path", path));
  if (root) options.root = *root;
  return {};
}

}  // namespace lhsm::cli
