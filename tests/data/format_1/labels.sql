BEGIN TRANSACTION;
CREATE TABLE classes (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, added REAL NOT NULL);
INSERT INTO "classes" VALUES(1,'wren',1.79557010250969052312e+09);
INSERT INTO "classes" VALUES(2,'crow',1.79557010250969052312e+09);
INSERT INTO "classes" VALUES(3,'rain, häil',1.79557010250969052312e+09);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO "facts" VALUES('name','"Birds"');
INSERT INTO "facts" VALUES('folder','null');
CREATE TABLE files (
  place TEXT PRIMARY KEY, duration_s REAL, rate_hz INTEGER, trouble TEXT, added REAL NOT NULL);
INSERT INTO "files" VALUES('a.wav',5.0,16000,NULL,1.79557010250956106188e+09);
INSERT INTO "files" VALUES('b/long.wav',90.5,44100,NULL,1.79557010250956106188e+09);
INSERT INTO "files" VALUES('cut.wav',NULL,NULL,'is cut off: copy it again.',1.79557010250956106188e+09);
CREATE TABLE marks (
  number INTEGER PRIMARY KEY AUTOINCREMENT, region TEXT NOT NULL, file TEXT NOT NULL,
  start_s REAL, end_s REAL, kind TEXT NOT NULL, names TEXT NOT NULL, who TEXT NOT NULL,
  at REAL NOT NULL, accepted TEXT, undoes INTEGER, suggested TEXT, token TEXT);
INSERT INTO "marks" VALUES(1,'','a.wav',NULL,NULL,'label','["wren"]','Ann',1700000001.5,'["yamnet-esc10", 0.75]',NULL,'["wren", 0.75, "yamnet-esc10", false]','r-1');
INSERT INTO "marks" VALUES(2,'','a.wav',NULL,NULL,'label','["crow", "rain, häil"]','Ann',1700000002.5,NULL,NULL,NULL,'r-2');
INSERT INTO "marks" VALUES(3,'','b/long.wav',0.0,5.0,'unsure','[]','Ann',1700000003.5,NULL,NULL,'["wren", 0.75, "yamnet-esc10", true]','r-3');
INSERT INTO "marks" VALUES(4,'','b/long.wav',5.0,10.0,'bad audio','[]','Ann',1700000004.5,NULL,NULL,NULL,'r-4');
INSERT INTO "marks" VALUES(5,'region-1','b/long.wav',10.25,12.5,'label','["crow"]','Ann',1700000005.5,NULL,NULL,NULL,'r-5');
INSERT INTO "marks" VALUES(6,'region-1','b/long.wav',11.0,13.0,'label','["wren"]','Ann',1700000006.5,NULL,NULL,NULL,'r-6');
INSERT INTO "marks" VALUES(7,'region-2','b/long.wav',20.0,21.0,'label','["wren"]','Ann',1700000007.5,NULL,NULL,NULL,'r-7');
INSERT INTO "marks" VALUES(8,'region-2','b/long.wav',20.0,21.0,'removed','[]','Ann',1700000008.5,NULL,NULL,NULL,'r-8');
INSERT INTO "marks" VALUES(9,'','b/long.wav',30.0,31.0,'label','["wren"]','Ann',1700000009.5,NULL,NULL,NULL,'r-9');
INSERT INTO "marks" VALUES(10,'','b/long.wav',30.0,31.0,'undo','["wren"]','Ann',1.79557010251025605208e+09,NULL,9,NULL,'u-1');
CREATE TABLE stretches (file TEXT, settings TEXT, ends TEXT NOT NULL, PRIMARY KEY (file, settings));
INSERT INTO "stretches" VALUES('b/long.wav','{"min_gap_s": 0.1}','[[0.0, 5.0], [5.5, 90.5]]');
CREATE INDEX marks_of_files ON marks (file);
CREATE UNIQUE INDEX marks_by_token ON marks (token);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('marks',10);
COMMIT;
PRAGMA user_version=2;
