"""SQLite itself: connections, transactions, locks, forks, the bell, and the meaning of its errors."""
