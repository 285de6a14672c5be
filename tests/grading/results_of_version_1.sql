-- A file of results of version 1, as the grader of that version wrote it.
PRAGMA application_id = 1400131188;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE outcome (
    key text primary key, student text not null, identifier text not null, digest text not null,
    chapter text not null, problem text not null, texts text not null, notes text not null, seconds real not null
);
INSERT INTO "outcome" VALUES('ash/x.ipynb','ash','12','a1','midterm','','[["open", "Because."]]','[]',1.5);
INSERT INTO "outcome" VALUES('birch/x.ipynb','birch','','b2 within 600.0','midterm','','[["open", ""]]','["code cell 1 raised ValueError: \u00e9", "the time for the whole notebook was used up"]',600.25);
INSERT INTO "outcome" VALUES('cedar.ipynb','cedar','','c3','','the file is empty','[]','[]',0.0);
CREATE TABLE part (
    key text not null references outcome on delete cascade, position integer not null,
    exercise text not null, part text not null, points integer not null, maximum integer not null,
    message text not null,
    primary key (key, position)
);
INSERT INTO "part" VALUES('ash/x.ipynb',0,'double','doubles',3,3,'');
INSERT INTO "part" VALUES('ash/x.ipynb',1,'double','keeps the sign',0,1,'double(-3) has the wrong sign');
INSERT INTO "part" VALUES('ash/x.ipynb',2,'blank','doubles',0,2,'halve(4) returned nothing: not answered yet?');
INSERT INTO "part" VALUES('birch/x.ipynb',0,'double','doubles',0,3,'it took longer than 60 seconds');
INSERT INTO "part" VALUES('birch/x.ipynb',1,'double','keeps the sign',0,1,'the time for the whole notebook was used up');
INSERT INTO "part" VALUES('birch/x.ipynb',2,'blank','doubles',0,2,'the time for the whole notebook was used up');
CREATE TABLE secret (bytes blob not null);
INSERT INTO "secret" VALUES(X'74686520736563726574206F6620616E206F6C642072756E');
COMMIT;
