import sys
from pathlib import Path

# So that tests share `corpus`.
sys.path.insert(0, str(Path(__file__).parent))
