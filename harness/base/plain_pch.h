#pragma once

// The one list of what most files without LibTorch parse: a third of a build's
// time. It is for the compiler alone; a file still includes what it names, and
// the preset `tsan`, which builds without, finds one that does not.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "harness/base/json.h"
