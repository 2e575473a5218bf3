// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hdf5_handles.hpp"

#include <charconv>
#include <string_view>

namespace lhsm::store {

namespace {

struct Innermost {
  bool is_set = false;
  std::string text;
  int sys_errno = 0;
};

// The library forgets an error at the next call, be it the one that closes what the failing one used.
thread_local Innermost first_error;

int errno_in(std::string_view text) {
  constexpr std::string_view k_mark = "errno = ";
  const auto at = text.find(k_mark);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + k_mark.size());
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

herr_t look(unsigned depth, const H5E_error2_t* error, void* data) {
  auto& found = *static_cast<Innermost*>(data);
  const std::string_view text = error->desc != nullptr ? error->desc : "";
  if (depth == 0) found.text = text;
  if (found.sys_errno == 0) found.sys_errno = errno_in(text);
  return 0;
}

/// The library calls it when a call fails.
herr_t remember(hid_t stack, void*) {
  if (first_error.is_set) return 0;
  first_error.is_set = true;
  return H5Ewalk2(stack, H5E_WALK_UPWARD, look, &first_error);
}

Handle open_dataset(hid_t parent, const char* name) { return {H5Dopen2(parent, name, H5P_DEFAULT), H5Dclose}; }

}  // namespace

QuietHdf5::QuietHdf5() {
  // Before the first call of all: at the exit the library would close what was abandoned.
  [[maybe_unused]] static const herr_t stays_open = H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, remember, nullptr);
  first_error = {};
}

Failure hdf5_error(const char* operation, const std::string& path) {
  Innermost found = first_error;
  for (char& c : found.text)
    if (c == '\n') c = ' ';
  if (found.sys_errno > 0) return errno_error(operation, path, found.sys_errno);
  return failure(ErrorKind::corrupt, EBADMSG, operation,
                 path + ": HDF5: " + (found.text.empty() ? "failed" : found.text));
}

Handle text_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  if (type && (H5Tset_size(*type, H5T_VARIABLE) < 0 || H5Tset_cset(*type, H5T_CSET_UTF8) < 0)) type.reset();
  return type;
}

bool write_attribute(hid_t object, const char* name, hid_t type, const void* value) {
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  if (!space) return false;
  Handle attribute(H5Acreate2(object, name, type, *space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  return attribute && H5Awrite(*attribute, type, value) >= 0 && attribute.close();
}

bool read_attribute(hid_t object, const char* name, hid_t type, void* value) {
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
  return attribute && H5Aread(*attribute, type, value) >= 0;
}

bool write_text(hid_t object, const char* name, const std::string& text) {
  const Handle type = text_type();
  const char* value = text.c_str();
  return type && write_attribute(object, name, *type, &value);
}

bool read_text(hid_t object, const char* name, std::string& text) {
  const Handle type = text_type();
  char* value = nullptr;
  if (!type || !read_attribute(object, name, *type, &value)) return false;
  text = value != nullptr ? value : "";
  H5free_memory(value);
  return true;
}

bool write_array(hid_t parent, const char* name, hid_t type, std::size_t count, const void* values) {
  const hsize_t length = count;
  const Handle space(H5Screate_simple(1, &length, nullptr), H5Sclose);
  if (!space) return false;
  Handle dataset(H5Dcreate2(parent, name, type, *space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose);
  if (!dataset) return false;
  if (count != 0 && H5Dwrite(*dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0) return false;
  return dataset.close();
}

bool read_array(hid_t parent, const char* name, hid_t type, std::size_t count, void* values) {
  const Handle dataset = open_dataset(parent, name);
  if (!dataset || array_length(parent, name) != static_cast<std::int64_t>(count)) return false;
  return count == 0 || H5Dread(*dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
}

bool write_texts(hid_t parent, const char* name, const std::vector<std::string>& texts) {
  const Handle type = text_type();
  std::vector<const char*> values;
  values.reserve(texts.size());
  for (const std::string& text : texts) values.push_back(text.c_str());
  return type && write_array(parent, name, *type, values.size(), values.data());
}

bool read_texts(hid_t parent, const char* name, std::vector<std::string>& texts) {
  texts.clear();
  const Handle type = text_type();
  const std::int64_t length = array_length(parent, name);
  if (!type || length < 0) return false;
  std::vector<char*> values(static_cast<std::size_t>(length), nullptr);
  const bool read = read_array(parent, name, *type, values.size(), values.data());
  for (char* value : values) {
    texts.emplace_back(value != nullptr ? value : "");
    H5free_memory(value);
  }
  return read;
}

std::int64_t array_length(hid_t parent, const char* name) {
  const Handle dataset = open_dataset(parent, name);
  if (!dataset) return -1;
  const Handle space(H5Dget_space(*dataset), H5Sclose);
  if (!space || H5Sget_simple_extent_ndims(*space) != 1) return -1;
  hsize_t length = 0;
  if (H5Sget_simple_extent_dims(*space, &length, nullptr) != 1) return -1;
  return static_cast<std::int64_t>(length);
}

}  // namespace lhsm::store
