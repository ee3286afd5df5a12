#pragma once

// Where tests look for them; plugins are held to their contract on them too.
#include "harness/run/contract/toys.h"
